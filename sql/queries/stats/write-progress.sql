UPDATE public.background_job_status SET results = freshet.job_results(id, attempt) WHERE id = :#job::uuid
