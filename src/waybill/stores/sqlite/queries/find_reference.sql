-- 1 where anything points at a blob, a run may be using it, or a request is about to add its job.
SELECT EXISTS (SELECT 1 FROM artifacts WHERE blob = :blob AND purged_at IS NULL)
    OR EXISTS (SELECT 1 FROM uploads WHERE blob = :blob)
    OR EXISTS (SELECT 1 FROM jobs WHERE state = 'running' AND (instr(:blob, '/' || id || '/') > 0 OR instr(:blob, '/' || id || '.') > 0))
    OR EXISTS (SELECT 1 FROM idempotency_keys WHERE job IS NULL AND fingerprint <> '')
