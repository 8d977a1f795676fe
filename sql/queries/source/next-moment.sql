-- Asked every second: has any row gained or lost a moment, and when does the next one come? Two index probes.
SELECT EXISTS (SELECT FROM freshet.moment_change ORDER BY id LIMIT 1) AS has_changes,
       extract(epoch FROM (SELECT min(at) FROM freshet.moment) - clock_timestamp())::double precision AS seconds
