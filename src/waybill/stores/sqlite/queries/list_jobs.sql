-- A page of a project's jobs, newest first, below :before. A null filter matches all; :states is a
-- JSON array; times in microseconds, both ends exclusive.
SELECT * FROM job_rows
WHERE project = :project
    AND sequence < :before
    AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
    AND (:kind IS NULL OR kind = :kind)
    AND (:entity IS NULL OR entity = :entity)
    AND (:client_ref IS NULL OR client_ref = :client_ref)
    AND (:dialect IS NULL OR dialect = :dialect)
    AND (:credential IS NULL OR credential = :credential)
    AND (:created_after IS NULL OR created_at > :created_after)
    AND (:created_before IS NULL OR created_at < :created_before)
ORDER BY sequence DESC
LIMIT :limit
