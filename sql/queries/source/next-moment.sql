-- Run every second: whether any row has gained or lost a moment, and when the next moment comes. Two index probes.
SELECT EXISTS (SELECT FROM freshet.moment_change ORDER BY id LIMIT 1) AS has_changes,
       extract(epoch FROM (SELECT min(at) FROM freshet.moment WHERE at < 'infinity')
                          - clock_timestamp())::double precision AS seconds
