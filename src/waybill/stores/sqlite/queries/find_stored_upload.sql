-- The file of a name that came last, and has not expired.
SELECT id, project, name, created_at, expires_at, stored_at, blob, media_type, size_bytes, sha256
FROM uploads
WHERE project = :project AND name = :name AND stored_at IS NOT NULL AND expires_at > :now
ORDER BY stored_at DESC, id DESC
LIMIT 1
