-- The column of each field of an entity.
SELECT field, column_name FROM _columns WHERE entity = :entity
