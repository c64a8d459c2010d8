-- Keeps a pinned descriptor; one that is kept already stays.
INSERT INTO descriptors (sha256, body) VALUES (:sha256, :body) ON CONFLICT (sha256) DO NOTHING
