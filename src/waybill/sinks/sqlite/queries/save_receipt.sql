-- Note which whole file the records of an entity are from.
INSERT OR REPLACE INTO _receipts (entity, version, number, fingerprint, note)
VALUES (:entity, :version, :number, :fingerprint, :note)
