-- Credentials of one project, or of all where :project is null, oldest first.
SELECT id, project, dialect, login, scopes, created_at, revoked_at
FROM credentials
WHERE :project IS NULL OR project = :project
ORDER BY sequence
