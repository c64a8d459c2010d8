-- The unique indexes of :table that enforce an entity's own constraints.
SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = :table AND name LIKE '\_unique %' ESCAPE '\'
