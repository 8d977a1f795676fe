-- Takes what is due for one target, the oldest first, as a lease: an instance that dies gives it back when due_at comes.
-- A breaker that is open lets nothing through; when its time is over, one probe.
WITH probe AS (
    UPDATE freshet.target SET opened_times = opened_times + 1,
        open_until = now() + make_interval(secs => least(:#probeMaxSeconds, :#probeSeconds * power(2, least(opened_times + 1, 20))))
    WHERE name = :#target AND open_until <= now()
      AND EXISTS (SELECT FROM freshet.delivery WHERE target = :#target AND due_at <= now())
    RETURNING 1
), room AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM probe) THEN 1
                WHEN (SELECT open_until IS NULL FROM freshet.target WHERE name = :#target) THEN :#limit::integer
                ELSE 0 END AS tags
), due AS MATERIALIZED (
    SELECT tag, target FROM freshet.delivery
    WHERE target = :#target AND due_at <= now()
    ORDER BY due_at LIMIT (SELECT tags FROM room)
    FOR UPDATE SKIP LOCKED
)
UPDATE freshet.delivery d SET
    lease_id = :#lease::uuid, claimed_handover = d.handover, due_at = now() + make_interval(secs => :#leaseSeconds)
FROM due WHERE d.tag = due.tag AND d.target = due.target
RETURNING d.target, d.tag, d.id, d.claimed_handover, d.lease_id, d.attempts, d.together,
          extract(epoch FROM now() - d.changed_at)::double precision AS age_seconds
