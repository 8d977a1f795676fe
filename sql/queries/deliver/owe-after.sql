-- These tags were delivered so late that the targets which follow those of the calls, directly or indirectly, may not
-- have waited for them (sql/functions/R__done_ahead.sql). They become owed to those targets again, in the settlement's
-- transaction. Targets that follow each other in a circle are excluded, because they would owe each other forever. The
-- numbers must be on disk before a call uses them, so this transaction commits synchronously.
WITH RECURSIVE family AS MATERIALIZED (
    SELECT name, coalesce(copy_of, name) AS target, goes_after FROM freshet.target
), late AS MATERIALIZED (
    SELECT DISTINCT l.tag, f.target AS ahead
    FROM unnest(:#tags::text[], :#targets::text[]) AS l(tag, target) JOIN family f ON f.name = l.target
), follows AS (
    SELECT f.target, f.name, f.goes_after AS ahead FROM family f WHERE f.goes_after IN (SELECT ahead FROM late)
    UNION
    SELECT f.target, f.name, s.ahead FROM follows s JOIN family f ON f.goes_after = s.target
), circle AS MATERIALIZED (
    SELECT DISTINCT target FROM follows WHERE target = ahead
), followers AS MATERIALIZED (
    SELECT name FROM freshet.target                                              -- so that none is deleted meanwhile
    WHERE name IN (SELECT name FROM follows) ORDER BY name FOR KEY SHARE
), owed AS (
    INSERT INTO freshet.delivery AS d (tag, target, handover, settled_handover, done_handover, changed_at, priority)
    SELECT tag, name, number, number, number - 1, now(), coalesce((SELECT priority FROM freshet.policy_of(tag)), 5)
    FROM (SELECT DISTINCT late.tag, follows.name FROM late JOIN follows USING (ahead)
          WHERE ahead NOT IN (TABLE circle)) again
         JOIN followers USING (name) CROSS JOIN nextval('freshet.handover_number') AS next(number)
    ORDER BY tag, name
    ON CONFLICT (tag, target) DO UPDATE SET
        handover = greatest(d.handover + 1, nextval('freshet.handover_number')), handed_at = now()
    RETURNING target
)
SELECT set_config('synchronous_commit', CASE WHEN EXISTS (SELECT FROM owed) THEN 'on' ELSE 'off' END, true),
       (SELECT array_agg(DISTINCT target) FROM owed) AS targets
