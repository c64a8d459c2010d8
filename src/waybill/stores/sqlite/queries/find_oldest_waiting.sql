-- Since when the job that waits longest has been waiting, in microseconds; null where none does.
SELECT min(changed_at) FROM jobs INDEXED BY jobs_waiting WHERE state = 'waiting'
