-- The names of all tables of entities.
SELECT table_name FROM _entities
