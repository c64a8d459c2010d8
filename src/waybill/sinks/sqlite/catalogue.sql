-- Create what every project's database holds besides its ledger and its entities. Repeating it
-- changes nothing.
-- _entities: which table holds an entity, and its key as a JSON list (empty: no key).
-- _columns: which column holds a field; differs from its name where case alone tells names apart.
-- _versions: how often the records of an entity changed.
-- _receipts: the last whole file that the records of an entity were made from, by the job with a
-- number of the ledger; it says nothing once the version is another one.
-- _changes: when the job with a number of the ledger first changed records.
CREATE TABLE IF NOT EXISTS _changes (
    number INTEGER PRIMARY KEY,
    changed_at INTEGER NOT NULL
) STRICT;
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
CREATE TABLE IF NOT EXISTS _versions (
    entity TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _receipts (
    entity TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    number INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;
