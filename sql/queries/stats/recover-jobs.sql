-- Jobs whose worker has gone silent are queued again three times, then failed. What the worker left running in the
-- database is terminated first. A job in processing without a lease belongs to the replaced worker, which never took
-- ten minutes.
WITH late AS MATERIALIZED (
    SELECT id, attempt, deaths FROM public.background_job_status
    WHERE status = 'processing' AND job_type = 'stats_update'
      AND CASE WHEN lease_until IS NULL
          THEN coalesce(started_at, created_at, '-infinity') < now() - interval '10 minutes'
              ELSE lease_until < now() END
    ORDER BY id FOR UPDATE SKIP LOCKED
), left_running AS MATERIALIZED (
    SELECT l.pid FROM late JOIN freshet.job_function f ON f.job_id = late.id AND f.status = 'running'
    JOIN pg_locks l ON l.locktype = 'advisory' AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND (l.classid::bigint << 32 | l.objid::bigint) = freshet.job_lock(f.job_id, f.function)
    JOIN pg_stat_activity a ON a.pid = l.pid AND a.usename = current_user     -- ending another role's fails
), ended AS MATERIALIZED (
    SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) AS backends FROM left_running
)
UPDATE public.background_job_status j SET
    status = CASE WHEN late.deaths >= 3 THEN 'failed' ELSE 'queued' END, deaths = late.deaths + 1,
    retry_count = CASE WHEN late.deaths >= 3 THEN coalesce(retry_count, 0) + 1 ELSE retry_count END,
    completed_at = CASE WHEN late.deaths >= 3 THEN now() END,
    error_message = CASE WHEN late.deaths >= 3
        THEN 'its worker died ' || late.deaths + 1 || ' times while running it' END
FROM late CROSS JOIN ended WHERE j.id = late.id
RETURNING j.id, j.status, j.worker_id, late.deaths + 1 AS deaths, ended.backends
