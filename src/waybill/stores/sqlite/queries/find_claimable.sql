-- A row where some job may be claimed now, in microseconds.
SELECT 1 FROM jobs INDEXED BY jobs_waiting
WHERE state = 'waiting' AND (not_before IS NULL OR not_before <= :now)
    AND (:max_input_bytes IS NULL OR coalesce(input_size_bytes, 0) <= :max_input_bytes)
LIMIT 1
