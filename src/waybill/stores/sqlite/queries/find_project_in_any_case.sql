-- A project by name, in any case; first the one that is written so.
SELECT name FROM projects WHERE name = :name COLLATE NOCASE ORDER BY name <> :name LIMIT 1
