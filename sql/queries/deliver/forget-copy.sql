-- Deletes a copy. If its address is gone, up to :limit of its deliveries and of its dead letters are dropped, because
-- the cache that could be wrong no longer exists. Otherwise they become owed to the target's other copies, :heirs, each
-- of which may be the same cache: calling twice is better than not at all. The copy is deleted when nothing is left;
-- calls under way are waited for. The next turn marks the rows of the queue. leaving-copies.sql has locked the copy
-- earlier in the same transaction.
WITH heirs AS MATERIALIZED (
    SELECT name FROM freshet.target
    WHERE NOT :#gone::boolean AND name = ANY (:#heirs::text[]) AND name <> :#name AND missing_since IS NULL
), leaving AS MATERIALIZED (
    SELECT name FROM freshet.target WHERE name = :#name AND (:#gone::boolean OR EXISTS (SELECT FROM heirs))
), owed AS MATERIALIZED (
    SELECT d.tag FROM freshet.delivery d JOIN leaving ON leaving.name = d.target LIMIT :#limit + 1
), taken AS MATERIALIZED (
    SELECT d.* FROM freshet.delivery d JOIN leaving ON leaving.name = d.target
    WHERE d.lease_id IS NULL OR d.due_at < now()
    ORDER BY d.tag LIMIT :#limit
    FOR UPDATE OF d SKIP LOCKED
), left_now AS (
    DELETE FROM freshet.delivery d USING taken t WHERE d.tag = t.tag AND d.target = t.target
), inherited AS (
    INSERT INTO freshet.delivery AS d (tag, target, handover, settled_handover, handed_at, changed_at,
        owed_at)
    SELECT t.tag, h.name, t.handover, t.settled_handover, t.handed_at, t.changed_at, t.owed_at
    FROM taken t CROSS JOIN heirs h ORDER BY t.tag, h.name
    ON CONFLICT (tag, target) DO UPDATE SET
        handover = greatest(d.handover + 1, excluded.handover),
        settled_handover = CASE WHEN d.attempts > 0 AND d.lease_id IS NULL
                                THEN greatest(d.handover + 1, excluded.handover) ELSE d.settled_handover END,
        rank = CASE WHEN d.attempts = 0 THEN 0 ELSE d.rank END,
        handed_at = greatest(d.handed_at, excluded.handed_at), changed_at = least(d.changed_at, excluded.changed_at),
        owed_at = least(d.owed_at, excluded.owed_at)
), letters AS MATERIALIZED (
    SELECT l.* FROM freshet.dead_letter l JOIN leaving ON leaving.name = l.target
    ORDER BY l.tag LIMIT :#limit FOR UPDATE OF l SKIP LOCKED
), letters_left AS (
    DELETE FROM freshet.dead_letter l USING letters WHERE l.id = letters.id
), letters_inherited AS (
    INSERT INTO freshet.dead_letter
        (target, tag, attempts, last_status, last_error, first_failed_at, last_failed_at, handover, done_handover)
    SELECT h.name, tag, attempts, last_status, last_error, first_failed_at, last_failed_at, NULL, NULL
    FROM letters CROSS JOIN heirs h ORDER BY tag, h.name
    ON CONFLICT (tag, target) DO NOTHING
), marked AS (
    INSERT INTO freshet.mark_later (tag) SELECT tag FROM taken
), forgotten AS (
    DELETE FROM freshet.target t USING leaving
    WHERE t.name = leaving.name AND (SELECT count(*) FROM owed) = (SELECT count(*) FROM taken)
      AND (SELECT count(*) FROM (SELECT FROM freshet.dead_letter l
          WHERE l.target = leaving.name LIMIT :#limit + 1) all_letters)
          = (SELECT count(*) FROM letters)
    RETURNING t.name
), audited AS (
    INSERT INTO public.invalidation_audit (kind, target, keys, triggered_by, outcome, detail)
    SELECT 'delivery', freshet.fit_audit(:#name, 'target'), jsonb_agg(tag ORDER BY tag), 'queue',
           CASE WHEN :#gone::boolean THEN 'dropped' ELSE 'handed on' END, freshet.fit_audit(:#why, 'detail')
    FROM taken
    WHERE freshet.audits() HAVING count(*) > 0
    UNION ALL
    SELECT 'target', freshet.fit_audit(name, 'target'), '[]', 'addresses', 'forgotten',
           freshet.fit_audit(:#why, 'detail')
    FROM forgotten WHERE freshet.audits()
)
SELECT (SELECT count(*) FROM taken)::integer AS tags, (SELECT count(*) FROM letters)::integer AS letters,
       EXISTS (SELECT FROM forgotten) AS is_forgotten
