-- For the console: the number of dead letters, and the times of the first and the last one. `revision` changes whenever
-- these do.
SELECT count(*) AS count, count(*) > 100000 AS capped,
       (SELECT min(last_failed_at) FROM freshet.dead_letter) AS oldest_at, (SELECT max(last_failed_at)
           FROM freshet.dead_letter) AS newest_at
FROM (SELECT FROM freshet.dead_letter LIMIT 100001) bounded
