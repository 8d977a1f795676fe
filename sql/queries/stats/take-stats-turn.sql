-- Only one instance at a time claims jobs, so that the limit of jobs holds for all instances together.
SELECT pg_try_advisory_xact_lock(7382087) AS mine
