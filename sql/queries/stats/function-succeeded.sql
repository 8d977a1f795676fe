-- Runs in the function's own transaction: its effect and the record of it are committed together, and only for the
-- attempt that was meant to run it.
WITH held AS MATERIALIZED (
    SELECT id FROM public.background_job_status WHERE id = :#job::uuid AND attempt = :#attempt
        AND status = 'processing' FOR SHARE
)
UPDATE freshet.job_function SET status = 'success', ended_at = clock_timestamp()
WHERE job_id = :#job::uuid AND function = :#function AND attempt = :#attempt AND status = 'running'
    AND EXISTS (SELECT FROM held)
