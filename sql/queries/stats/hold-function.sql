-- In the function's own transaction: nobody else runs it for this job. An older attempt's backend is on its way out.
SELECT pg_advisory_xact_lock(freshet.job_lock(:#job::uuid, :#function))
