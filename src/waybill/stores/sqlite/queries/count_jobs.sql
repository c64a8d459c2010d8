-- How many jobs are in each state, over all projects.
SELECT state, count(*) FROM jobs GROUP BY state
