-- Every sum.
SELECT name, label, value FROM tallies ORDER BY name, label
