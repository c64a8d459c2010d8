-- Drops a file.
DELETE FROM uploads WHERE id = :id AND project = :project
