-- A job of any project by native id.
SELECT * FROM job_rows WHERE id = ?
