-- Two answers alike are one server's.
SELECT pg_postmaster_start_time() AS started
