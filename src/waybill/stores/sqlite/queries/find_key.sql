-- One Idempotency-Key: who uses it, the first request's fingerprint, the job that it made.
SELECT holder, fingerprint, job FROM idempotency_keys WHERE project = :project AND key = :key
