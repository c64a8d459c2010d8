-- Cancels a job that has never run; what has run must be closed in the sink by a run.
UPDATE jobs SET
    state = 'canceled', phase = 'finished', cancel_requested = 1,
    finished_at = :now, changed_at = :now, not_before = NULL,
    error_code = 'CANCELED', error_message = 'The job was canceled before it began.'
WHERE id = :id AND project = :project AND state IN ('blocked', 'waiting') AND epoch = 0
RETURNING lane
