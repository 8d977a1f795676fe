-- Freshet stops: what it still holds becomes due at once, not only when the lease ends.
UPDATE freshet.delivery d SET lease_id = NULL, claimed_handover = NULL, due_at = now()
FROM unnest(:#tags::text[], :#targets::text[], :#leases::uuid[]) AS held(tag, target, lease)
WHERE d.tag = held.tag AND d.target = held.target AND d.lease_id = held.lease
