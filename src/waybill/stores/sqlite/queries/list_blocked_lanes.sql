-- Lanes whose first unfinished job is blocked, with the time in microseconds of the last end in each.
SELECT first.project, first.lane, (
    SELECT max(coalesce(finished_at, created_at)) FROM jobs AS earlier
    WHERE earlier.project = first.project AND earlier.sequence <= first.sequence
        AND earlier.lane = first.lane
)
FROM jobs AS first
WHERE first.state = 'blocked'
    AND first.lane <> ''
    AND NOT EXISTS (
        SELECT 1 FROM jobs AS earlier
        WHERE earlier.project = first.project AND earlier.lane = first.lane
            AND earlier.lane <> '' AND earlier.sequence < first.sequence
            AND earlier.state IN ('blocked', 'waiting', 'running')
    )
