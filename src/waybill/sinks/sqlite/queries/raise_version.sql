-- Note that records of an entity have changed.
INSERT INTO _versions (entity, version) VALUES (:entity, 1)
ON CONFLICT (entity) DO UPDATE SET version = version + 1
