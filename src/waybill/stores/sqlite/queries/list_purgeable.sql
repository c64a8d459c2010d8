-- Files of some kinds (a JSON array) that still have bytes, of jobs that ended before a time in
-- microseconds. Bytes that a later job has, too, go with that one's, those of an upload not before.
SELECT a.job, a.project, a.kind, a.blob, a.size_bytes, a.sha256, a.created_at, a.purged_at
FROM artifacts AS a
JOIN jobs AS j ON j.id = a.job
WHERE a.purged_at IS NULL
    AND a.kind IN (SELECT value FROM json_each(:kinds))
    AND j.finished_at < :finished_before
    AND NOT EXISTS (
        SELECT 1 FROM artifacts AS later
        WHERE later.blob = a.blob AND later.purged_at IS NULL
            AND (later.created_at, later.job) > (a.created_at, a.job)
    )
    AND NOT EXISTS (SELECT 1 FROM uploads WHERE uploads.blob = a.blob)
ORDER BY a.job, a.kind
LIMIT :limit
