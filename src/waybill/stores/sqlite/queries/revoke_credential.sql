-- Revokes a credential; an earlier time of revocation stays.
UPDATE credentials SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id
