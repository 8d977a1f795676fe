-- Marks this function as running for this attempt, unless an earlier attempt of the same round has completed it.
INSERT INTO freshet.job_function AS f (job_id, function, round, attempt, tags, status)
SELECT id, :#function, round, attempt, :#tags::text[], 'running' FROM public.background_job_status
WHERE id = :#job::uuid AND attempt = :#attempt AND status = 'processing'
ON CONFLICT (job_id, function) DO UPDATE SET
    attempt = excluded.attempt, round = excluded.round, tags = excluded.tags,
    status = CASE WHEN f.status = 'success' AND f.round = excluded.round THEN 'success' ELSE 'running' END,
    started_at = CASE WHEN f.status = 'success' AND f.round = excluded.round THEN f.started_at
        ELSE clock_timestamp() END,
    ended_at = CASE WHEN f.status = 'success' AND f.round = excluded.round THEN f.ended_at END,
    refreshed = f.refreshed AND f.status = 'success' AND f.round = excluded.round,
    error = NULL
RETURNING status
