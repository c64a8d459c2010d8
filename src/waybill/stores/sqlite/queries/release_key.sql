-- Forgets an Idempotency-Key that has made no job.
DELETE FROM idempotency_keys WHERE project = :project AND key = :key AND job IS NULL
