-- Runs in the function's own transaction: no one else runs it for this job. An older attempt's backend is ending.
SELECT pg_advisory_xact_lock(freshet.job_lock(:#job::uuid, :#function))
