-- Claiming is one instance's work at a time, so that the limit of jobs holds over all of them.
SELECT pg_try_advisory_xact_lock(7382087) AS mine
