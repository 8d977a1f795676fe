-- A target answers again: what failed there during the outage need not wait for the end of its back-off,
-- unless the target itself asked for it.
UPDATE freshet.delivery SET due_at = now()
WHERE (tag, target) IN (
    SELECT tag, target FROM freshet.delivery
    WHERE target = :#target AND due_at > now() AND lease_id IS NULL AND attempts BETWEEN 1 AND 5     -- what failed more often may be the trouble itself
      AND (not_before IS NULL OR not_before <= now())
    ORDER BY tag, target LIMIT 1000 FOR UPDATE SKIP LOCKED)
