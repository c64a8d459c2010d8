-- The number, highest epoch and, once sealed, counts of job :job.
SELECT number, epoch, counts FROM _jobs WHERE id = :job
