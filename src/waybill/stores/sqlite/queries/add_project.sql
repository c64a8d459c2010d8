-- Adds a project; no row changes where the name is taken.
INSERT INTO projects (name, created_at) VALUES (:name, :created_at)
ON CONFLICT (name) DO NOTHING
