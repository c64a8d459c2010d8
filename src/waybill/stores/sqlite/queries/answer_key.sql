-- Ties an Idempotency-Key to its job; no row changes where another job has answered it.
INSERT INTO idempotency_keys (project, key, holder, job, created_at)
VALUES (:project, :key, '', :job, :now)
ON CONFLICT (project, key) DO UPDATE SET job = excluded.job WHERE job IS NULL
