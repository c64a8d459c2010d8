-- Stores a checked chunk, the next one of its job.
INSERT INTO chunks (
    job, ordinal, first_record, records, accepted, rejected,
    byte_end, line_end, record_end, spool, rejects
)
VALUES (
    :job, :ordinal, :first_record, :records, :accepted, :rejected,
    :byte_end, :line_end, :record_end, :spool, :rejects
)
