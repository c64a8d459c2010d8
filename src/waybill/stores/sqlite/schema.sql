CREATE TABLE projects (
    name TEXT PRIMARY KEY NOT NULL CHECK (name <> ''),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL REFERENCES projects (name),
    dialect TEXT NOT NULL,
    login TEXT NOT NULL,
    scopes TEXT NOT NULL,
    secret_sha256 BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

-- Pinned copies of entity descriptors, each stored once: most jobs of an entity share one.
CREATE TABLE descriptors (
    sha256 BLOB PRIMARY KEY NOT NULL CHECK (length(sha256) = 32),
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('import', 'export', 'transform')),
    project TEXT NOT NULL,
    entity TEXT NOT NULL,
    lane TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('blocked', 'waiting', 'running', 'succeeded', 'failed', 'canceled')),
    outcome TEXT CHECK (outcome IN ('complete', 'partial', 'none')),
    phase TEXT NOT NULL
        CHECK (phase IN ('queued', 'checking', 'matching', 'applying', 'reporting', 'finished')),
    progress REAL NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    records_read INTEGER NOT NULL DEFAULT 0 CHECK (records_read >= 0),
    records_created INTEGER NOT NULL DEFAULT 0 CHECK (records_created >= 0),
    records_updated INTEGER NOT NULL DEFAULT 0 CHECK (records_updated >= 0),
    records_unchanged INTEGER NOT NULL DEFAULT 0 CHECK (records_unchanged >= 0),
    records_deleted INTEGER NOT NULL DEFAULT 0 CHECK (records_deleted >= 0),
    records_removed INTEGER NOT NULL DEFAULT 0 CHECK (records_removed >= 0),
    records_rejected INTEGER NOT NULL DEFAULT 0 CHECK (records_rejected >= 0),
    records_skipped INTEGER NOT NULL DEFAULT 0 CHECK (records_skipped >= 0),
    records_unprocessed INTEGER NOT NULL DEFAULT 0 CHECK (records_unprocessed >= 0),
    records_written INTEGER NOT NULL DEFAULT 0 CHECK (records_written >= 0),
    options TEXT NOT NULL,
    descriptor_sha256 BLOB NOT NULL REFERENCES descriptors (sha256),
    input_blob TEXT,
    input_name TEXT,
    input_media_type TEXT,
    input_size_bytes INTEGER,
    input_sha256 TEXT,
    client_ref TEXT,
    dialect TEXT NOT NULL,
    external_id TEXT NOT NULL,
    dialect_data TEXT NOT NULL,
    credential TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    not_before INTEGER,
    epoch INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    holder TEXT,
    boot_id TEXT,
    lease_until_seconds REAL,
    rate REAL,
    eta_seconds REAL,
    error_code TEXT,
    error_message TEXT,
    error_line INTEGER,
    error_byte INTEGER,
    format_facts TEXT NOT NULL DEFAULT '{}',
    warnings TEXT NOT NULL DEFAULT '[]', parent TEXT, error_column INTEGER,
    UNIQUE (project, external_id),
    CONSTRAINT outcome_of_succeeded CHECK ((state = 'succeeded') = (outcome IS NOT NULL)),
    CONSTRAINT error_of_failed CHECK (state <> 'failed' OR error_code IS NOT NULL),
    CONSTRAINT lease_of_running CHECK (
        (state = 'running') = (holder IS NOT NULL)
        AND (holder IS NULL) = (boot_id IS NULL)
        AND (holder IS NULL) = (lease_until_seconds IS NULL)
    ),
    CONSTRAINT end_of_final CHECK (
        (state IN ('succeeded', 'failed', 'canceled')) = (finished_at IS NOT NULL)
        AND (phase = 'finished') = (finished_at IS NOT NULL)
    ),
    CONSTRAINT whole_progress_of_final CHECK (
        (progress < 1 OR finished_at IS NOT NULL) AND (state <> 'succeeded' OR progress = 1)
    ),
    CONSTRAINT conservation_law CHECK (
        kind <> 'import'
        OR finished_at IS NULL
        OR records_read = records_created + records_updated + records_unchanged + records_deleted
            + records_rejected + records_skipped + records_unprocessed
    )
) STRICT;

CREATE INDEX jobs_waiting ON jobs (sequence, not_before, input_size_bytes, changed_at)
    WHERE state = 'waiting';
CREATE INDEX jobs_by_project ON jobs (project, sequence);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_in_lanes ON jobs (project, lane, sequence)
    WHERE lane <> '' AND state IN ('blocked', 'waiting', 'running');
CREATE UNIQUE INDEX one_active_job_of_a_lane ON jobs (project, lane)
    WHERE lane <> '' AND state IN ('waiting', 'running');

CREATE INDEX transforms_by_external_id ON jobs (external_id) WHERE kind = 'transform';

CREATE TABLE attempts (
    job TEXT NOT NULL REFERENCES jobs (id),
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    worker TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by TEXT CHECK (
        ended_by IN ('finished', 'released', 'crashed', 'lease_expired', 'storage', 'canceled')
    ),
    detail TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (job, epoch),
    CONSTRAINT end_has_a_time CHECK ((ended_at IS NULL) = (ended_by IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
    job TEXT NOT NULL REFERENCES jobs (id),
    kind TEXT NOT NULL,
    project TEXT NOT NULL,
    blob TEXT NOT NULL,
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    purged_at INTEGER,
    PRIMARY KEY (job, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX artifacts_by_blob ON artifacts (blob) WHERE purged_at IS NULL;
CREATE INDEX artifacts_unpurged ON artifacts (job, kind) WHERE purged_at IS NULL;

CREATE TABLE idempotency_keys (
    project TEXT NOT NULL,
    key TEXT NOT NULL,
    holder TEXT NOT NULL,
    fingerprint TEXT NOT NULL DEFAULT '',
    job TEXT REFERENCES jobs (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX keys_by_age ON idempotency_keys (created_at);
CREATE INDEX keys_being_answered ON idempotency_keys (project)
    WHERE job IS NULL AND fingerprint <> '';

-- Sums over all jobs that ended, so that a scrape reads a few rows, and purging changes none.
CREATE TABLE tallies (
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    value REAL NOT NULL CHECK (value >= 0),
    PRIMARY KEY (name, label)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    job TEXT NOT NULL REFERENCES jobs (id),
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    state_before TEXT,
    state TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

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

CREATE TRIGGER jobs_begin_unfinished BEFORE INSERT ON jobs
WHEN NEW.state NOT IN ('blocked', 'waiting') OR NEW.epoch <> 0
BEGIN
    SELECT RAISE(ABORT, 'a job begins blocked or waiting, at epoch 0');
END;

CREATE TRIGGER jobs_final_is_final BEFORE UPDATE ON jobs
WHEN OLD.state IN ('succeeded', 'failed', 'canceled')
BEGIN
    SELECT RAISE(ABORT, 'a final job does not change');
END;

CREATE TRIGGER jobs_transitions BEFORE UPDATE OF state ON jobs
WHEN OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    VALUES ('blocked', 'waiting'), ('blocked', 'canceled'),
        ('waiting', 'running'), ('waiting', 'canceled'),
        ('running', 'waiting'), ('running', 'succeeded'), ('running', 'failed'),
        ('running', 'canceled')
)
BEGIN
    SELECT RAISE(ABORT, 'no such change of state');
END;

CREATE TRIGGER jobs_never_go_back BEFORE UPDATE ON jobs
WHEN NEW.progress < OLD.progress
    OR NEW.epoch < OLD.epoch
    OR NEW.cancel_requested < OLD.cancel_requested
    OR (NEW.state <> OLD.state AND 'running' = NEW.state AND NEW.epoch <= OLD.epoch)
    OR (NEW.state = 'waiting' AND OLD.state = 'running' AND NEW.epoch <= OLD.epoch)
BEGIN
    SELECT RAISE(ABORT, 'progress, epoch and cancel never go back');
END;

CREATE TRIGGER jobs_keep_their_terms BEFORE UPDATE OF
    id, kind, project, entity, lane, options, descriptor_sha256, input_blob, input_sha256,
    dialect, external_id, created_at
ON jobs
BEGIN
    SELECT RAISE(ABORT, 'what a job was accepted under does not change');
END;

CREATE TRIGGER events_of_new_jobs AFTER INSERT ON jobs
BEGIN
    INSERT INTO events (job, number, at, state_before, state, epoch)
    VALUES (NEW.id, 1, NEW.created_at, NULL, NEW.state, NEW.epoch);
END;

CREATE TRIGGER events_of_changes AFTER UPDATE OF state ON jobs
WHEN OLD.state <> NEW.state
BEGIN
    INSERT INTO events (job, number, at, state_before, state, epoch)
    SELECT NEW.id, max(number) + 1, NEW.changed_at, OLD.state, NEW.state, NEW.epoch
    FROM events WHERE job = NEW.id;
END;

CREATE TRIGGER events_stay_as_written BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are only appended');
END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are only appended');
END;
