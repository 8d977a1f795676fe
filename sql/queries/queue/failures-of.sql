-- For a manual run: what was not delivered, but stored for a retry or given up.
SELECT tag, target, coalesce(last_error, 'the target is in outage; stored for a retry') AS last_error
FROM freshet.delivery WHERE tag = ANY (:#tags::text[]) AND settled_handover >= handover
UNION ALL
SELECT tag, target, last_error FROM freshet.dead_letter WHERE tag = ANY (:#tags::text[])
    AND last_failed_at >= :#since::timestamptz
ORDER BY tag, target
