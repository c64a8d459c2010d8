-- The first mark of a job after chunk :chunk.
SELECT chunk, records, outcomes, refusals FROM _marks
WHERE job = :number AND chunk > :chunk ORDER BY chunk LIMIT 1
