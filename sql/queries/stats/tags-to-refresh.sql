-- Tags of functions that succeeded and have not been delivered, also by an attempt that died before it could; and when
-- this was asked, before the call that names them: finish-job.sql clears no dead letter that is newer. They go in one
-- call, with a profile where all of them have the same.
WITH stale AS MATERIALIZED (
    SELECT DISTINCT tag FROM freshet.job_function, unnest(tags) AS tag
    WHERE job_id = :#job::uuid AND attempt = :#attempt AND status = 'success' AND NOT refreshed
)
SELECT array_agg(tag ORDER BY tag) AS tags, clock_timestamp() AS asked_at,
       (SELECT CASE WHEN count(DISTINCT coalesce(p.profile, '')) = 1 THEN max(p.profile) END
        FROM stale LEFT JOIN LATERAL freshet.policy_of(stale.tag) p ON true) AS profile
FROM stale
