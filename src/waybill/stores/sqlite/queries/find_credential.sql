-- The caller that a credential is of; no row where it is revoked or of another dialect.
SELECT project, id, scopes, login
FROM credentials
WHERE id = ? AND dialect = ? AND revoked_at IS NULL
