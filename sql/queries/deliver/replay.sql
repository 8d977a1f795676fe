-- Makes dead letters owed to their targets again, one page of them in the order of tag and target. They are kept until
-- a call succeeds, so a replay that fails loses nothing; the replayed deliveries go after first attempts. Each
-- hand-over is numbered under its row's lock: a number that was drawn earlier could be lower than one that a change has
-- been given meanwhile, and that change would count as delivered. Letters that someone else has locked are returned,
-- and tried again later.
WITH known AS MATERIALIZED (
    SELECT name FROM freshet.target ORDER BY name FOR KEY SHARE              -- so that none is deleted meanwhile
), chosen AS MATERIALIZED (
    SELECT l.id, l.tag, l.target FROM freshet.dead_letter l
    WHERE l.target IN (SELECT name FROM known)
      AND (:#ids::text[] IS NULL OR l.id = ANY (:#ids::uuid[]))
      AND (:#afterTag::text IS NULL OR (l.tag, l.target) > (:#afterTag, :#afterTarget))
      AND (:#target::text IS NULL OR :#target IN (l.target, split_part(l.target, '@', 1)))
      AND (:#tag::text IS NULL OR l.tag = :#tag) AND (:#tagLike::text IS NULL OR l.tag LIKE :#tagLike)
      AND (:#error::text IS NULL OR strpos(lower(coalesce(l.last_error, '')), lower(:#error)) > 0)
    ORDER BY l.tag, l.target LIMIT :#limit
), there AS MATERIALIZED (
    SELECT d.tag, d.target FROM freshet.delivery d JOIN chosen USING (tag, target)
), free AS MATERIALIZED (
    SELECT d.tag, d.target FROM freshet.delivery d JOIN chosen USING (tag, target) FOR UPDATE OF d SKIP LOCKED
), held AS MATERIALIZED (
    TABLE there EXCEPT TABLE free
), owed AS (
    INSERT INTO freshet.delivery AS d (tag, target, handover, settled_handover, changed_at, rank, priority)
    SELECT tag, target, number, number, now(), 1, coalesce((SELECT priority FROM freshet.policy_of(tag)), 5)
    FROM chosen CROSS JOIN nextval('freshet.handover_number') AS next(number)
    WHERE (tag, target) NOT IN (TABLE held) ORDER BY tag, target
    ON CONFLICT (tag, target) DO UPDATE SET
        handover = greatest(d.handover + 1, nextval('freshet.handover_number')), handed_at = now(),
        due_at = CASE WHEN d.lease_id IS NULL THEN now() ELSE d.due_at END
    RETURNING tag, target
), audited AS (
    INSERT INTO public.invalidation_audit (kind, target, keys, triggered_by)
    SELECT 'replay', freshet.fit_audit(target, 'target'), jsonb_agg(tag ORDER BY tag), 'manual'
    FROM owed WHERE freshet.audits() GROUP BY target
)
SELECT (SELECT count(*) FROM owed)::integer AS replayed,
       (SELECT array_agg(chosen.id::text) FROM chosen JOIN held USING (tag, target)) AS held,
       (SELECT count(*) FROM chosen)::integer AS chosen,
       (SELECT tag FROM chosen ORDER BY tag DESC, target DESC LIMIT 1) AS last_tag,
       (SELECT target FROM chosen ORDER BY tag DESC, target DESC LIMIT 1) AS last_target
