-- Run once a second: whether there is a job to claim, to queue again or to tell caches of. Usually there is none, and
-- nothing else is done.
SELECT FROM public.background_job_status WHERE status IN ('queued', 'processing')
UNION ALL
SELECT FROM freshet.job_function WHERE status = 'success' AND NOT refreshed
LIMIT 1
