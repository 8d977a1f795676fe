SELECT count(*) AS total_count FROM public.background_job_status WHERE :#status::text IS NULL
    OR status::text = :#status::text
