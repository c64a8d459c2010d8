-- Ends an attempt, once.
UPDATE attempts SET ended_at = :now, ended_by = :ended_by, detail = :detail
WHERE job = :id AND epoch = :epoch AND ended_at IS NULL
