-- 1 where anything points at a blob, or a request is just about to add its job; else 0.
SELECT EXISTS (SELECT 1 FROM artifacts WHERE blob = :blob AND purged_at IS NULL)
    OR EXISTS (SELECT 1 FROM idempotency_keys WHERE job IS NULL AND fingerprint <> '')
