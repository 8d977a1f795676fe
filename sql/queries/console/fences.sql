-- The console: how many tokens wait (asked for, committed, and not yet out), and since when the oldest. What they wait
-- for is looked at, and never the fences of a day: rows of the inbox and the queue, which leave as these do, and what
-- targets are owed, each by the index of those that wait for it. The oldest was given the lowest number. A fence whose
-- transaction was not looked at (docs/fence.md) waits for nothing that could be found here.
WITH owed AS MATERIALIZED (
    SELECT id, done_handover FROM freshet.delivery LIMIT 100001
), waits AS MATERIALIZED (
    SELECT * FROM (SELECT fence FROM freshet.fence_inbox LIMIT 100001) inbox
    UNION ALL
    SELECT * FROM (SELECT fence FROM freshet.fence_queue LIMIT 100001) queue
    UNION ALL
    SELECT * FROM (
        SELECT w.fence FROM owed CROSS JOIN LATERAL (
            -- one look at the index for each, whatever the planner believes of the table
            SELECT fence FROM freshet.fence_delivery
            WHERE delivery = owed.id AND handover > owed.done_handover OFFSET 0) w
        LIMIT 100001) delivery
)
SELECT waiting, capped, (SELECT asked_at FROM freshet.fence WHERE id = oldest) AS oldest_at
FROM (SELECT count(DISTINCT fence) AS waiting, min(fence) AS oldest,
             count(*) > 100000 OR (SELECT count(*) FROM owed) > 100000 AS capped FROM waits) counted
