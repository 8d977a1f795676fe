-- After this, the next statement sees what every function has committed so far.
SELECT id FROM public.background_job_status WHERE id = :#job::uuid AND attempt = :#attempt
    AND status = 'processing' FOR UPDATE
