-- A job that was not finished because of this worker is queued again. A stop does not count as a death, a lost database
-- does.
UPDATE public.background_job_status SET
    status = CASE WHEN :#death AND deaths >= 3 THEN 'failed' ELSE 'queued' END,
    retry_count = CASE WHEN :#death AND deaths >= 3 THEN coalesce(retry_count, 0) + 1 ELSE retry_count END,
    completed_at = CASE WHEN :#death AND deaths >= 3 THEN now() END,
    deaths = CASE WHEN :#death THEN deaths + 1 ELSE deaths END, attempt = attempt + 1, error_message = :#why
WHERE id = :#job::uuid AND attempt = :#attempt AND status = 'processing'
RETURNING status
