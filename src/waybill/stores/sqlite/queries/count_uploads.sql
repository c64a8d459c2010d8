-- How many files a project has been promised, and how many bytes have come.
SELECT count(*) - count(stored_at), coalesce(sum(size_bytes), 0)
FROM uploads WHERE project = :project AND expires_at > :now
