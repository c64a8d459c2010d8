-- Adds a credential; no row is added where its id or secret is taken.
INSERT INTO credentials (id, project, dialect, login, scopes, secret_sha256, created_at, revoked_at)
VALUES (:id, :project, :dialect, :login, :scopes, :secret_sha256, :created_at, :revoked_at)
ON CONFLICT DO NOTHING
