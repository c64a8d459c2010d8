-- A project's job by native id.
SELECT * FROM job_rows WHERE id = ? AND project = ?
