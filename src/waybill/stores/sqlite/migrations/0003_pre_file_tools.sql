-- Where content is wrong, to the character; whose job an id is, told across projects; and files
-- that are sent ahead of the jobs that take them.
ALTER TABLE jobs ADD COLUMN error_column INTEGER;

CREATE INDEX transforms_by_external_id ON jobs (external_id) WHERE kind = 'transform';

CREATE TABLE uploads (
    id TEXT PRIMARY KEY NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    stored_at INTEGER,
    blob TEXT,
    media_type TEXT,
    size_bytes INTEGER CHECK (size_bytes >= 0),
    sha256 TEXT,
    CONSTRAINT file_of_stored CHECK (
        (stored_at IS NULL) = (blob IS NULL)
        AND (blob IS NULL) = (size_bytes IS NULL)
        AND (blob IS NULL) = (sha256 IS NULL)
    )
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_by_name ON uploads (project, name, stored_at);
CREATE INDEX uploads_by_age ON uploads (expires_at);
CREATE INDEX uploads_by_blob ON uploads (blob) WHERE blob IS NOT NULL;

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
    rate, eta_seconds, error_code, error_message, error_line, error_byte, error_column,
    format_facts, warnings, parent
FROM jobs;
