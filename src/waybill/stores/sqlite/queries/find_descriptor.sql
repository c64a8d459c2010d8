-- A pinned descriptor by its digest.
SELECT body FROM descriptors WHERE sha256 = ?
