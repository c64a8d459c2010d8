-- The project whose transform has an id in the form of its dialect.
SELECT project FROM jobs WHERE external_id = :external_id AND kind = 'transform' LIMIT 1
