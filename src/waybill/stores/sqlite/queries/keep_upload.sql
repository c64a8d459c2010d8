-- Notes that a promised file is here.
UPDATE uploads SET
    stored_at = :now, expires_at = :expires_at,
    blob = :blob, media_type = :media_type, size_bytes = :size_bytes, sha256 = :sha256
WHERE id = :id AND project = :project AND stored_at IS NULL AND expires_at > :now
