-- The target's file was deleted: it is owed nothing any more, and its dead letters have nobody to go to. Asked under the turn's lock, so
-- that no hand-over which still knows the target comes after it. Queue rows that waited for this target only are marked by the next turn.
WITH target AS (
    DELETE FROM freshet.target WHERE name = :#name
), letters AS (
    DELETE FROM freshet.dead_letter WHERE target = :#name
), owed AS (
    DELETE FROM freshet.delivery WHERE target = :#name RETURNING tag
), audited AS (
    INSERT INTO public.invalidation_audit (kind, target, keys, triggered_by, outcome, detail)
    SELECT 'no-target', :#name, jsonb_agg(tag), 'queue', 'no target', 'the file of the target was deleted'
    FROM (SELECT tag, (row_number() OVER () - 1) / 1000 AS part FROM owed) o GROUP BY part
)
INSERT INTO freshet.mark_later (tag) SELECT tag FROM owed
