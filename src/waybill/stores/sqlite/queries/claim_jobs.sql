-- Takes up to :limit waiting jobs that may start, oldest first; lease by the host's monotonic clock.
UPDATE jobs SET
    state = 'running', phase = 'checking', epoch = epoch + 1, not_before = NULL,
    started_at = coalesce(started_at, :now), changed_at = :now,
    holder = :holder, boot_id = :boot_id, lease_until_seconds = :until_seconds
WHERE sequence IN (
        SELECT sequence FROM jobs INDEXED BY jobs_waiting
        WHERE state = 'waiting' AND (not_before IS NULL OR not_before <= :now)
            AND coalesce(input_size_bytes, 0) BETWEEN :least_bytes AND :most_bytes
        ORDER BY sequence
        LIMIT :limit
    )
RETURNING sequence, id
