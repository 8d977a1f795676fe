-- Tags of functions that succeeded and have not been delivered, also by an attempt that died before it could; and when
-- this was asked, before the call that names them: finish-job.sql clears no dead letter that is newer.
SELECT array_agg(DISTINCT tag ORDER BY tag) AS tags, clock_timestamp() AS asked_at
FROM freshet.job_function, unnest(tags) AS tag
WHERE job_id = :#job::uuid AND attempt = :#attempt AND status = 'success' AND NOT refreshed
