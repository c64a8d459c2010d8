-- Whether there is a table of that name.
SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = :table
