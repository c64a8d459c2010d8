-- Files whose time is over.
SELECT id, project, name, created_at, expires_at, stored_at, blob, media_type, size_bytes, sha256
FROM uploads WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
