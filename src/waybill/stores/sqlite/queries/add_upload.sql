-- Promises a file.
INSERT INTO uploads (id, project, name, created_at, expires_at)
VALUES (:id, :project, :name, :created_at, :expires_at)
