-- Notes that the bytes of a file are gone.
UPDATE artifacts SET purged_at = coalesce(purged_at, :now) WHERE job = :job AND kind = :kind
