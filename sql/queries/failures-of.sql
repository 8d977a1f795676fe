-- Of a manual run: what failed since it began, for now or for good.
SELECT tag, target, last_error FROM freshet.delivery WHERE tag = ANY (:#tags::text[]) AND attempts > 0 AND last_failed_at >= :#since::timestamptz
UNION ALL
SELECT tag, target, last_error FROM freshet.dead_letter WHERE tag = ANY (:#tags::text[]) AND last_failed_at >= :#since::timestamptz
ORDER BY tag, target
