-- The files of a job by kind.
SELECT job, project, kind, blob, size_bytes, sha256, created_at, purged_at
FROM artifacts WHERE job = :job ORDER BY created_at, kind
