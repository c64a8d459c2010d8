-- A project's job by the id in the form of its dialect.
SELECT * FROM job_rows WHERE external_id = ? AND project = ?
