-- The console: how many were given up, and when the first and the last of them; `revision` is another one when that has
-- changed.
SELECT count(*) AS count, count(*) > 100000 AS capped,
       (SELECT min(last_failed_at) FROM freshet.dead_letter) AS oldest_at, (SELECT max(last_failed_at)
           FROM freshet.dead_letter) AS newest_at
FROM (SELECT FROM freshet.dead_letter LIMIT 100001) bounded
