-- Adds a file of a job; the stored one of its kind stays.
INSERT INTO artifacts (job, kind, project, blob, size_bytes, sha256, created_at, purged_at)
VALUES (:job, :kind, :project, :blob, :size_bytes, :sha256, :created_at, :purged_at)
ON CONFLICT (job, kind) DO NOTHING
