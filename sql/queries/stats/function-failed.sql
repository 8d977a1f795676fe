UPDATE freshet.job_function SET status = 'failed', error = :#error, ended_at = clock_timestamp()
WHERE job_id = :#job::uuid AND function = :#function AND attempt = :#attempt AND status = 'running'
