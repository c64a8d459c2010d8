-- Begins the attempt of a job that was just claimed.
INSERT INTO attempts (job, epoch, worker, started_at)
SELECT id, epoch, holder, changed_at FROM jobs WHERE id = :id
