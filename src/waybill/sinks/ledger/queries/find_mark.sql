-- The mark of one applied chunk.
SELECT chunk, records, outcomes, refusals FROM _marks WHERE job = :number AND chunk = :chunk
