-- A project by name.
SELECT name FROM projects WHERE name = ?
