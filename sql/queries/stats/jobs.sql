-- GET /api/admin/jobs: all jobs, newest first. GET /api/admin/jobs/{id}: that job.
SELECT id::text, job_type, job_payload::text, status::text, priority, retry_count, tenant_id::text, error_message,
       -- results are written when a function ends; one that has only begun is shown as well
       (CASE WHEN lease_until IS NOT NULL THEN freshet.job_results(id, attempt) ELSE results END)::text AS results,
       started_at, completed_at, created_at, updated_at, worker_id
FROM public.background_job_status
WHERE (:#id::uuid IS NULL OR id = :#id::uuid) AND (:#status::text IS NULL OR status::text = :#status::text)
ORDER BY created_at DESC, id LIMIT :#limit OFFSET :#offset
