-- Note the column of a field.
INSERT INTO _columns (entity, field, column_name) VALUES (:entity, :field, :column)
