-- Ends a run for good; a succeeded job has whole progress, another keeps what it reached.
UPDATE jobs SET
    state = :state, outcome = :outcome, phase = 'finished',
    progress = CASE WHEN :state = 'succeeded' THEN 1 ELSE progress END,
    records_read = :read, records_created = :created, records_updated = :updated,
    records_unchanged = :unchanged, records_deleted = :deleted, records_removed = :removed,
    records_rejected = :rejected, records_skipped = :skipped,
    records_unprocessed = :unprocessed, records_written = :written,
    finished_at = :finished_at, changed_at = :finished_at,
    eta_seconds = NULL, holder = NULL, boot_id = NULL, lease_until_seconds = NULL,
    error_code = :error_code, error_message = :error_message,
    error_line = :error_line, error_byte = :error_byte, error_column = :error_column,
    format_facts = coalesce(:format_facts, format_facts), warnings = :warnings
WHERE id = :id AND epoch = :epoch AND state = 'running'
RETURNING project, lane
