-- Claims the next job under a lease: the most urgent, then the oldest, while fewer than :jobs run on all instances.
WITH next AS MATERIALIZED (
    SELECT id FROM public.background_job_status
    WHERE status = 'queued' AND job_type = 'stats_update'
      AND :#jobs > (SELECT count(*) FROM public.background_job_status WHERE status = 'processing'
          AND lease_until IS NOT NULL)
    ORDER BY coalesce(priority, 1) DESC, created_at, id LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE public.background_job_status j SET
    status = 'processing', worker_id = :#worker, queue_name = :#queue, attempt = attempt + 1,
    lease_until = now() + make_interval(secs => :#leaseSeconds), started_at = now(), completed_at = NULL,
        error_message = NULL
FROM next WHERE j.id = next.id
RETURNING j.id, j.attempt, coalesce(j.tenant_id::text, CASE WHEN j.job_payload ->> 'tenantId' ~ '^[0-9a-fA-F-]{36}$'
    THEN j.job_payload ->> 'tenantId' END) AS tenant,
          j.job_payload ->> 'triggeredBy' AS triggered_by, j.job_payload ->> 'requestId' AS request_id
