-- A row where some job may be claimed now, in microseconds.
SELECT 1 FROM jobs INDEXED BY jobs_waiting
WHERE state = 'waiting' AND (not_before IS NULL OR not_before <= :now)
    AND coalesce(input_size_bytes, 0) BETWEEN :least_bytes AND :most_bytes
LIMIT 1
