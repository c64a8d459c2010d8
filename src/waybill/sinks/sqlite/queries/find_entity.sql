-- The table and the key of an entity.
SELECT table_name, key FROM _entities WHERE entity = :entity
