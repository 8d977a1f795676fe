-- Deliveries to a target in outage are not tried, however long they have been owed. Those owed for longer than
-- FRESHET_RETRY_FOR, counted from their newest change, become dead letters here, and the next turn marks their rows of
-- the queue. A target that no instance serves counts as one in outage. Only the :upSeconds since this instance started
-- count, in which it has observed the outage: after a long stop of Freshet itself, everything is tried once more first.
WITH expired AS MATERIALIZED (
    SELECT d.* FROM freshet.delivery d JOIN freshet.target t ON t.name = d.target
    WHERE (t.open_until IS NOT NULL AND t.failed_at > now() - make_interval(secs => :#upSeconds)
           OR t.served_at < now() - interval '1 minute' AND :#upSeconds > 60)
      AND (d.lease_id IS NULL OR d.due_at < now()) AND d.handed_at < now() - make_interval(secs => :#retryForSeconds)
    ORDER BY d.tag, d.target LIMIT :#limit
    FOR UPDATE OF d SKIP LOCKED
), gone AS (
    DELETE FROM freshet.delivery d USING expired e WHERE d.tag = e.tag AND d.target = e.target
), buried AS (
    INSERT INTO freshet.dead_letter AS l
        (target, tag, attempts, last_status, last_error, first_failed_at, last_failed_at, handover, done_handover)
    SELECT target, tag, attempts, last_status,
           coalesce(last_error, 'the target was down or served by no instance all the time'),
           coalesce(first_failed_at, now()), coalesce(last_failed_at, now()), handover, done_handover
    FROM expired ORDER BY tag, target
    ON CONFLICT (tag, target) DO UPDATE SET
        attempts = l.attempts + excluded.attempts, last_status = excluded.last_status,
        last_error = excluded.last_error, last_failed_at = excluded.last_failed_at, handover = excluded.handover
), audited AS (
    INSERT INTO public.invalidation_audit (kind, target, keys, triggered_by, outcome, detail)
    SELECT 'delivery', freshet.fit_audit(target, 'target'), jsonb_agg(tag ORDER BY tag), 'queue', 'dead',
           freshet.fit_audit('owed for longer than FRESHET_RETRY_FOR', 'detail')
    FROM expired WHERE freshet.audits() GROUP BY target
), marked AS (
    INSERT INTO freshet.mark_later (tag) SELECT tag FROM expired
)
SELECT tag FROM expired
