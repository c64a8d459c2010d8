-- Create what every project's database holds besides its entities. Repeating it changes nothing.
-- _entities: which table holds an entity, and its key as a JSON list (empty: no key).
-- _columns: which column holds a field; differs from its name where case alone tells names apart.
-- _jobs: the fence. The highest epoch that began, and the counts of a sealed job.
-- _marks: what became of each applied chunk; records as runs, outcomes one byte each, both packed.
CREATE TABLE IF NOT EXISTS _entities (
    entity TEXT PRIMARY KEY,
    table_name TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _columns (
    entity TEXT NOT NULL,
    field TEXT NOT NULL,
    column_name TEXT NOT NULL,
    PRIMARY KEY (entity, field)
) STRICT, WITHOUT ROWID;
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
