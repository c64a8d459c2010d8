-- Note that a chunk is applied, and what became of its records.
INSERT INTO _marks (job, chunk, records, outcomes, refusals, counts)
VALUES (:number, :chunk, :records, :outcomes, :refusals, :counts)
