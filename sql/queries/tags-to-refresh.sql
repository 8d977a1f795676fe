-- Tags of functions that succeeded and have not been delivered, also by an attempt that died before it could.
SELECT DISTINCT unnest(tags) AS tag FROM freshet.job_function
WHERE job_id = :#job::uuid AND attempt = :#attempt AND status = 'success' AND NOT refreshed ORDER BY 1
