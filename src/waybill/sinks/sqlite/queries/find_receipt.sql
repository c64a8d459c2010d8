-- The job and the note of a whole file that the records of an entity are from, as they are now.
SELECT number, note FROM _receipts
WHERE entity = :entity AND version = :version AND fingerprint = :fingerprint
