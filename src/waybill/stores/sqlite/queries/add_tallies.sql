-- Adds to sums; :tallies is a JSON array of [name, label, value].
INSERT INTO tallies (name, label, value)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(:tallies) WHERE TRUE
ON CONFLICT (name, label) DO UPDATE SET value = tallies.value + excluded.value
