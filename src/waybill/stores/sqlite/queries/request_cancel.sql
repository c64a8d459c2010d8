-- Asks the run of a job to stop, the next one where it waits for one.
UPDATE jobs SET cancel_requested = 1, not_before = NULL
WHERE id = :id AND project = :project AND state IN ('waiting', 'running') AND epoch > 0
