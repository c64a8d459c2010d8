-- The counts of every applied chunk of a job.
SELECT counts FROM _marks WHERE job = :number
