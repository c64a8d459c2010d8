-- How often the records of an entity changed.
SELECT version FROM _versions WHERE entity = :entity
