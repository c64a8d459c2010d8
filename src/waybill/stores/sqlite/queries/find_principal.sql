-- The caller behind a secret; no row where it is revoked or of another dialect.
SELECT project, id, scopes, login
FROM credentials
WHERE secret_sha256 = ? AND dialect = ? AND revoked_at IS NULL
