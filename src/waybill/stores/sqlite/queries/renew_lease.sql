-- Extends the lease of a run; no row where another attempt owns the job.
UPDATE jobs SET
    holder = :holder, boot_id = :boot_id, lease_until_seconds = :until_seconds
WHERE id = :id AND epoch = :epoch AND state = 'running'
RETURNING cancel_requested
