-- Notes which request owns an unanswered Idempotency-Key.
UPDATE idempotency_keys SET fingerprint = :fingerprint
WHERE project = :project AND key = :key AND job IS NULL
