-- The dry run whose plan a job applies.
ALTER TABLE jobs ADD COLUMN parent TEXT;

DROP VIEW job_rows;

-- One order of columns for every statement that gives jobs; ``rows.py`` unpacks it.
CREATE VIEW job_rows AS SELECT
    id, sequence, kind, project, entity, lane, state, outcome, phase, progress,
    records_read, records_created, records_updated, records_unchanged, records_deleted,
    records_removed, records_rejected, records_skipped, records_unprocessed, records_written,
    options, descriptor_sha256,
    input_blob, input_name, input_media_type, input_size_bytes, input_sha256,
    client_ref, dialect, external_id, dialect_data,
    created_at, started_at, finished_at, not_before, epoch, cancel_requested, credential,
    rate, eta_seconds, error_code, error_message, error_line, error_byte, format_facts, warnings, parent
FROM jobs;
