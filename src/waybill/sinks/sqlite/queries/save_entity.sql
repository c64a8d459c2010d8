-- Note the table and the key of an entity, over what was noted before.
INSERT INTO _entities (entity, table_name, key) VALUES (:entity, :table, :key)
ON CONFLICT (entity) DO UPDATE SET key = excluded.key
