-- Asked many times a second: one index probe.
SELECT 1 FROM freshet.inbox ORDER BY id LIMIT 1
