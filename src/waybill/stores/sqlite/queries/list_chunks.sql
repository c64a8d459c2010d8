-- The checked chunks of a job by rising ordinal.
SELECT
    ordinal, first_record, records, accepted, rejected,
    byte_end, line_end, record_end, spool, rejects
FROM chunks WHERE job = :job ORDER BY ordinal
