-- What Freshet stores about jobs whose rows someone has deleted.
WITH gone AS (
    DELETE FROM freshet.job_function f WHERE f.ended_at < now() - interval '1 day'
        AND (f.refreshed OR f.status = 'failed')
        AND NOT EXISTS (SELECT FROM public.background_job_status j WHERE j.id = f.job_id)
)
DELETE FROM freshet.job_request r WHERE r.asked_at < now() - interval '30 days'
    AND NOT EXISTS (SELECT FROM public.background_job_status j WHERE j.id = r.job_id)
