-- Takes an unanswered Idempotency-Key over from a dead process.
UPDATE idempotency_keys SET holder = :holder, fingerprint = '', created_at = :now
WHERE project = :project AND key = :key AND job IS NULL
