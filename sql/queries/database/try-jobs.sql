-- The whole life of a job as Freshet writes it; rolled back.
INSERT INTO public.background_job_status (id, job_type, job_payload, status, priority, tenant_id, queue_name)
VALUES ('f2e54e70-7a1a-4c1b-9d55-1d0c6f3a9b21', 'stats_update', '{"triggeredBy": "admin"}', 'queued', 2, NULL, 'trial')
RETURNING id;
UPDATE public.background_job_status SET status = 'processing', worker_id = 'trial', attempt = attempt + 1,
    started_at = now(), completed_at = NULL, error_message = NULL, lease_until = now()
WHERE id = 'f2e54e70-7a1a-4c1b-9d55-1d0c6f3a9b21';
UPDATE public.background_job_status SET status = 'failed', completed_at = now(), error_message = 'trial',
    results = '{}', retry_count = coalesce(retry_count, 0) + 1 WHERE id = 'f2e54e70-7a1a-4c1b-9d55-1d0c6f3a9b21';
UPDATE public.background_job_status SET status = 'queued', priority = 1
WHERE id = 'f2e54e70-7a1a-4c1b-9d55-1d0c6f3a9b21';
UPDATE public.background_job_status SET status = 'completed', completed_at = now()
WHERE id = 'f2e54e70-7a1a-4c1b-9d55-1d0c6f3a9b21'
