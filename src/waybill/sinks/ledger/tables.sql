-- Create the ledger. Repeating it changes nothing.
-- _jobs: the fence. The highest epoch that began, and the counts of a sealed job.
-- _marks: what became of each applied chunk; records as runs, outcomes one byte each, both packed.
CREATE TABLE IF NOT EXISTS _jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    entity TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    counts TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS _marks (
    job INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    records BLOB NOT NULL,
    outcomes BLOB NOT NULL,
    refusals TEXT NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (job, chunk)
) STRICT;
