-- These tags were delivered so late that targets that go after those of the calls may not have waited for them
-- (sql/functions/R__done_ahead.sql): they are owed them once more, in the settlement's transaction. Its numbers must be
-- on the disk before a call names them, so this one waits for it.
WITH late AS MATERIALIZED (
    SELECT DISTINCT l.tag, coalesce(t.copy_of, t.name) AS ahead
    FROM unnest(:#tags::text[], :#targets::text[]) AS l(tag, target) JOIN freshet.target t ON t.name = l.target
), followers AS MATERIALIZED (
    SELECT name, goes_after FROM freshet.target                                  -- none of them is forgotten meanwhile
    WHERE goes_after IN (SELECT ahead FROM late) ORDER BY name FOR KEY SHARE
), owed AS (
    INSERT INTO freshet.delivery AS d (tag, target, handover, settled_handover, done_handover, changed_at, priority)
    SELECT late.tag, followers.name, number, number, number - 1, now(),
           coalesce((SELECT priority FROM freshet.policy_of(late.tag)), 5)
    FROM late JOIN followers ON goes_after = ahead CROSS JOIN nextval('freshet.handover_number') AS next(number)
    ORDER BY late.tag, followers.name
    ON CONFLICT (tag, target) DO UPDATE SET
        handover = greatest(d.handover + 1, nextval('freshet.handover_number')), handed_at = now()
    RETURNING target
)
SELECT set_config('synchronous_commit', CASE WHEN EXISTS (SELECT FROM owed) THEN 'on' ELSE 'off' END, true),
       (SELECT array_agg(DISTINCT target) FROM owed) AS targets
