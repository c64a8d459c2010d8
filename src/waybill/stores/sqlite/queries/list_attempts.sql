-- Every attempt at a job, first to last.
SELECT epoch, worker, started_at, ended_at, ended_by, detail
FROM attempts WHERE job = :job ORDER BY epoch
