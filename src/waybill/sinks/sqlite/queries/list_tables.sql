-- The names that no new table can have.
SELECT name FROM sqlite_schema
