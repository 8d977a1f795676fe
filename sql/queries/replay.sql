-- Owes dead letters to their targets once more. They stay until a call succeeds, so a replay that fails loses nothing.
WITH chosen AS MATERIALIZED (
    SELECT l.tag, l.target FROM freshet.dead_letter l JOIN freshet.target t ON t.name = l.target
    WHERE (:#id::uuid IS NULL OR l.id = :#id::uuid)
      AND (:#target::text IS NULL OR l.target = :#target) AND (:#tag::text IS NULL OR l.tag = :#tag)
      AND (:#error::text IS NULL OR strpos(lower(coalesce(l.last_error, '')), lower(:#error)) > 0)
    ORDER BY l.tag, l.target
), next AS MATERIALIZED (
    SELECT nextval('freshet.handover_number') AS number
), owed AS (
    INSERT INTO freshet.delivery AS d (tag, target, handover, settled_handover, changed_at)
    SELECT tag, target, number, number, now() FROM chosen, next
    ON CONFLICT (tag, target) DO UPDATE SET handover = excluded.handover, handed_at = now(),
        due_at = CASE WHEN d.lease_id IS NULL THEN now() ELSE d.due_at END
    RETURNING tag
), audited AS (
    INSERT INTO public.invalidation_audit (kind, target, keys, triggered_by, request_id)
    SELECT 'replay', target, jsonb_agg(tag), 'manual', :#requestId FROM chosen GROUP BY target
)
SELECT count(*) AS replayed FROM owed
