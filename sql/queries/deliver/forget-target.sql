-- Deletes a target whose file was deleted: up to :limit of its deliveries become dead letters that say so, and the
-- target is deleted when nothing is left. Calls under way are waited for. The next turn marks the rows of the queue.
-- leaving-targets.sql has locked the target earlier in the same transaction.
WITH leaving AS MATERIALIZED (
    SELECT name FROM freshet.target
    WHERE name = :#name AND deleted_at IS NOT NULL AND served_at < now() - interval '1 minute' FOR UPDATE SKIP LOCKED
), owed AS MATERIALIZED (
    SELECT d.tag, d.target FROM freshet.delivery d JOIN leaving ON leaving.name = d.target LIMIT :#limit + 1
), taken AS MATERIALIZED (
    SELECT d.* FROM freshet.delivery d JOIN leaving ON leaving.name = d.target
    WHERE d.lease_id IS NULL OR d.due_at < now()
    ORDER BY d.tag LIMIT :#limit
    FOR UPDATE OF d SKIP LOCKED
), gone AS (
    DELETE FROM freshet.delivery d USING taken t WHERE d.tag = t.tag AND d.target = t.target
), buried AS (
    INSERT INTO freshet.dead_letter AS l
        (target, tag, attempts, last_status, last_error, first_failed_at, last_failed_at, handover, done_handover)
    SELECT target, tag, attempts, NULL, 'the file of the target was deleted', coalesce(first_failed_at, now()), now(),
           handover, done_handover
    FROM taken ORDER BY tag
    ON CONFLICT (tag, target) DO UPDATE SET
        attempts = l.attempts + excluded.attempts, last_status = excluded.last_status,
        last_error = excluded.last_error, last_failed_at = excluded.last_failed_at, handover = excluded.handover
), audited AS (
    INSERT INTO public.invalidation_audit (kind, target, keys, triggered_by, outcome, detail)
    SELECT 'delivery', freshet.fit_audit(target, 'target'), jsonb_agg(tag ORDER BY tag), 'queue', 'dead',
           freshet.fit_audit('the file of the target was deleted', 'detail')
    FROM taken WHERE freshet.audits() GROUP BY target
), marked AS (
    INSERT INTO freshet.mark_later (tag) SELECT tag FROM taken
), forgotten AS (
    DELETE FROM freshet.target t USING leaving
    WHERE t.name = leaving.name AND (SELECT count(*) FROM owed) = (SELECT count(*) FROM taken)
    RETURNING t.name
)
SELECT (SELECT count(*) FROM taken)::integer AS dead_letters, EXISTS (SELECT FROM forgotten) AS is_forgotten
