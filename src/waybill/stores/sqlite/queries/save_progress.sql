-- Stores how far a run is; progress never falls, and is whole only at the end.
UPDATE jobs SET
    phase = :phase,
    progress = max(progress, min(:progress, 0.9999)),
    records_read = :read, records_created = :created, records_updated = :updated,
    records_unchanged = :unchanged, records_deleted = :deleted, records_removed = :removed,
    records_rejected = :rejected, records_skipped = :skipped,
    records_unprocessed = :unprocessed, records_written = :written,
    rate = :rate, eta_seconds = :eta_seconds,
    format_facts = coalesce(:format_facts, format_facts)
WHERE id = :id AND epoch = :epoch AND state = 'running'
RETURNING cancel_requested
