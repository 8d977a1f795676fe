-- Queues a job. If the same request was made before, that job is returned and nothing else happens.
WITH request AS (
    INSERT INTO freshet.job_request AS r (request_id, job_id) VALUES (:#requestId, gen_random_uuid())
    ON CONFLICT (request_id) DO UPDATE SET request_id = excluded.request_id
    RETURNING job_id, xmax = 0 AS is_new
), job AS (
    INSERT INTO public.background_job_status (id, job_type, job_payload, status, priority, tenant_id, queue_name)
    SELECT job_id, 'stats_update', :#payload::jsonb, 'queued', :#priority, :#tenant::uuid, :#queue FROM request
        WHERE is_new
), audited AS (
    INSERT INTO public.invalidation_audit (kind, triggered_by, request_id, detail)
    SELECT 'request', :#source, freshet.fit_audit(:#requestId, 'request_id'),
           freshet.fit_audit('enqueue-stats-job ' || job_id, 'detail')
    FROM request WHERE is_new
)
SELECT job_id::text, is_new FROM request
