-- A target answers again: deliveries that failed during the outage need not wait for the end of their back-off, unless
-- the target itself asked for it. Those that have failed more often than an outage explains (rank 2) may be at fault
-- themselves. Runs in batches, each a transaction of its own; if the process is killed in between, the rest waits for
-- its back-off.
UPDATE freshet.delivery SET due_at = now()
WHERE (tag, target) IN (
    SELECT d.tag, d.target FROM unnest(ARRAY[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]::smallint[]) AS p(priority)
    CROSS JOIN LATERAL (
        SELECT tag, target FROM freshet.delivery
        WHERE target = :#target AND priority = p.priority AND rank = 1 AND due_at > now() AND lease_id IS NULL
          AND (not_before IS NULL OR not_before <= now())
        ORDER BY due_at LIMIT :#limit FOR UPDATE SKIP LOCKED) d
    LIMIT :#limit)
