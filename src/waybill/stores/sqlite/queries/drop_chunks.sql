-- Forgets the checked chunks of a job.
DELETE FROM chunks WHERE job = :job
