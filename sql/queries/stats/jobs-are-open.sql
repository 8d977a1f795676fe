-- Asked once a second: is there a job to take, to give back or to tell caches of? Mostly there is none, and that is
-- all.
SELECT FROM public.background_job_status WHERE status IN ('queued', 'processing')
UNION ALL
SELECT FROM freshet.job_function WHERE status = 'success' AND NOT refreshed
LIMIT 1
