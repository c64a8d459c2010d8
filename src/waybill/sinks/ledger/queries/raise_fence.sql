-- Enter the job's table of fences at :epoch; gives its number and counts (sealed jobs have them), or
-- no row where it is fenced.
INSERT INTO _jobs (id, entity, epoch) VALUES (:job, :entity, :epoch)
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch
WHERE epoch <= excluded.epoch
RETURNING number, epoch, counts
