-- Drops Idempotency-Keys from before a time, in microseconds.
DELETE FROM idempotency_keys WHERE created_at < :created_before
