-- Freshet stops: what it still holds is due again at once, not when the lease ends.
UPDATE freshet.delivery SET lease_id = NULL, claimed_handover = NULL, due_at = now()
WHERE lease_id = ANY (:#leases::uuid[])
