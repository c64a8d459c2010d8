-- A file that has not expired.
SELECT id, project, name, created_at, expires_at, stored_at, blob, media_type, size_bytes, sha256
FROM uploads WHERE id = :id AND project = :project AND expires_at > :now
