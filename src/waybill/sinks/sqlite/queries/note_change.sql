-- Note when the job of this number first changed records, in milliseconds since 1970.
INSERT OR IGNORE INTO _changes (number, changed_at)
VALUES (:number, CAST(unixepoch('subsec') * 1000 AS INTEGER))
