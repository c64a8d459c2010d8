-- All projects by name.
SELECT name, created_at FROM projects ORDER BY name
