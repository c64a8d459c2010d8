-- Whether a run still owns its job: its project and lane, or no row.
SELECT project, lane FROM jobs WHERE id = :id AND epoch = :epoch AND state = 'running'
