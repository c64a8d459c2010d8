-- Begins the use of an Idempotency-Key.
INSERT INTO idempotency_keys (project, key, holder, created_at)
VALUES (:project, :key, :holder, :now)
