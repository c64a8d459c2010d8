-- The lease of every running job.
SELECT id, holder, boot_id, lease_until_seconds FROM jobs WHERE state = 'running' ORDER BY sequence
