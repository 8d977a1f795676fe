-- For the console: the number of jobs by state. Open jobs are counted exactly, ended ones among the newest 2,000.
-- `revision` changes whenever one of them has changed.
WITH newest AS MATERIALIZED (
    SELECT id, status::text AS status, error_message, completed_at, updated_at FROM public.background_job_status
        ORDER BY created_at DESC LIMIT 2000
), open AS MATERIALIZED (
    SELECT id, status::text AS status, updated_at, lease_until IS NOT NULL AS runs FROM public.background_job_status
        WHERE status IN ('queued', 'processing') LIMIT 10001
), failed AS (
    SELECT completed_at FROM newest
    WHERE status = 'failed' AND error_message IS DISTINCT FROM 'cancelled'
        AND coalesce(completed_at, updated_at) > now() - interval '1 day'
)
SELECT (SELECT count(*) FROM open WHERE status = 'queued') AS queued,
       (SELECT count(*) FROM open WHERE status = 'processing') AS processing,
       (SELECT count(*) FROM newest WHERE status = 'completed') AS completed,
       (SELECT count(*) FROM newest WHERE status = 'failed') AS failed,
       (SELECT count(*) FROM newest) = 2000 AS capped,
       (SELECT count(*) FROM failed) AS failed_today,
       (SELECT min(completed_at) FROM failed) AS failing_since,
       (SELECT md5(string_agg(concat_ws('|', id, status, updated_at), ',' ORDER BY id, status))
        FROM (SELECT id, status, updated_at FROM newest UNION SELECT id, status, updated_at FROM open
              UNION ALL SELECT job_id, function || f.status, f.started_at
                  FROM freshet.job_function f JOIN open ON open.id = f.job_id AND open.runs) changing) AS revision
