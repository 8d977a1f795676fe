-- failed -> queued; only the functions that failed run again.
WITH job AS MATERIALIZED (
    SELECT id, status FROM public.background_job_status WHERE id = :#job::uuid FOR UPDATE
), changed AS (
    UPDATE public.background_job_status j SET status = 'queued', error_message = NULL FROM job WHERE j.id = job.id
        AND job.status = 'failed'
    RETURNING j.id
), audited AS (
    INSERT INTO public.invalidation_audit (kind, triggered_by, detail)
    SELECT 'request', 'manual', freshet.fit_audit('retry job ' || id, 'detail') FROM changed
)
SELECT status::text, EXISTS (SELECT FROM changed) AS changed FROM job
