-- Gives a run back: waiting, with an epoch that fences what the run still does.
UPDATE jobs SET
    state = 'waiting', phase = 'queued', epoch = epoch + 1, changed_at = :now,
    not_before = CASE WHEN cancel_requested THEN NULL ELSE :not_before END,
    rate = NULL, eta_seconds = NULL, holder = NULL, boot_id = NULL, lease_until_seconds = NULL
WHERE id = :id AND epoch = :epoch AND state = 'running'
