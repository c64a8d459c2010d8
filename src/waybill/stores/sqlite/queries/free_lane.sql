-- Lets the next job of a lane wait, where none of the lane waits or runs; gives its id.
UPDATE jobs SET state = 'waiting', changed_at = :now
WHERE sequence = (
        SELECT min(sequence) FROM jobs
        WHERE project = :project AND lane = :lane AND lane <> ''
            AND state IN ('blocked', 'waiting', 'running')
    )
    AND state = 'blocked'
RETURNING id
