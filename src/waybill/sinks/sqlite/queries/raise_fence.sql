-- Enter the job's table of fences at :epoch; gives its number, or no row where it is fenced or sealed.
INSERT INTO _jobs (id, entity, epoch) VALUES (:job, :entity, :epoch)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch
WHERE epoch <= excluded.epoch AND counts IS NULL
RETURNING number
