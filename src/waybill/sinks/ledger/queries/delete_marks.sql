-- Forget what became of the chunks of a job.
DELETE FROM _marks WHERE job = :number
