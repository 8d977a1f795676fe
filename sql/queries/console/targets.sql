-- For the console: each target with its state and what it is owed. Counting stops at 10,000.
SELECT t.name, t.copy_of, t.place, t.missing_since, t.takes_queue, t.batch, t.goes_after, t.opened_at,
    t.open_until, t.served_at, t.served_at < now() - interval '60 seconds' AS unserved,
       o.owed, o.retrying, o.in_flight, o.oldest_at, o.failing_since,
       (SELECT coalesce('HTTP ' || d.last_status, d.last_error) FROM freshet.delivery d
        WHERE d.target = t.name AND d.attempts > 0 ORDER BY d.priority, d.rank, d.due_at LIMIT 1) AS last_error
FROM freshet.target t CROSS JOIN LATERAL (
    SELECT count(*) AS owed, count(*) FILTER (WHERE attempts > 0) AS retrying,
        count(*) FILTER (WHERE lease_id IS NOT NULL AND due_at > now()) AS in_flight,
           min(changed_at) AS oldest_at, min(first_failed_at) AS failing_since
    FROM (SELECT * FROM freshet.delivery d WHERE d.target = t.name
        ORDER BY d.priority, d.rank, d.due_at LIMIT 10001) bounded) o
ORDER BY t.name
