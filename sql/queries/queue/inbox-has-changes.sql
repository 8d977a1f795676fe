-- Run many times a second: one index probe.
SELECT 1 FROM freshet.inbox WHERE id > :#floor ORDER BY id LIMIT 1
