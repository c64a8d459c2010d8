-- A job's file of one kind.
SELECT job, project, kind, blob, size_bytes, sha256, created_at, purged_at
FROM artifacts WHERE job = :job AND kind = :kind
