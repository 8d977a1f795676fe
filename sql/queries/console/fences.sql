-- For the console: how many tokens wait (requested, committed, and not yet delivered), and since when the oldest one
-- does. This reads what they wait for, never all fences of a day: rows of the inbox and the queue, which leave as their
-- changes do, and deliveries, each by the index of the fences that wait for it. The oldest token has the lowest number.
-- A fence whose transaction was not examined (docs/fence.md) waits for nothing that could be found here.
WITH owed AS MATERIALIZED (
    SELECT id, done_handover FROM freshet.delivery LIMIT 100001
), waits AS MATERIALIZED (
    SELECT * FROM (SELECT fence FROM freshet.fence_inbox LIMIT 100001) inbox
    UNION ALL
    SELECT * FROM (SELECT fence FROM freshet.fence_queue LIMIT 100001) queue
    UNION ALL
    SELECT * FROM (
        SELECT w.fence FROM owed CROSS JOIN LATERAL (
            -- one index lookup for each, whatever the planner estimates for the table
            SELECT fence FROM freshet.fence_delivery
            WHERE delivery = owed.id AND handover > owed.done_handover OFFSET 0) w
        LIMIT 100001) delivery
)
SELECT waiting, capped, (SELECT asked_at FROM freshet.fence WHERE id = oldest) AS oldest_at
FROM (SELECT count(DISTINCT fence) AS waiting, min(fence) AS oldest,
             count(*) > 100000 OR (SELECT count(*) FROM owed) > 100000 AS capped FROM waits) counted
