-- Tags of functions that succeeded, as far as they have not been delivered, including those of an attempt that died
-- before it could; and the time of this query, before the call: finish-job.sql deletes no dead letter that is newer.
-- The tags go in one call, with a profile if all of them have the same one.
WITH stale AS MATERIALIZED (
    SELECT DISTINCT tag FROM freshet.job_function, unnest(tags) AS tag
    WHERE job_id = :#job::uuid AND attempt = :#attempt AND status = 'success' AND NOT refreshed
)
SELECT array_agg(tag ORDER BY tag) AS tags, clock_timestamp() AS asked_at,
       (SELECT CASE WHEN count(DISTINCT coalesce(p.profile, '')) = 1 THEN max(p.profile) END
        FROM stale LEFT JOIN LATERAL freshet.policy_of(stale.tag) p ON true) AS profile
FROM stale
