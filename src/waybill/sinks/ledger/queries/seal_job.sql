-- Close the job for good with its :counts.
UPDATE _jobs SET counts = :counts WHERE number = :number
