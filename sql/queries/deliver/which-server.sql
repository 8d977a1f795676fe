-- Two equal answers come from the same server.
SELECT pg_postmaster_start_time() AS started
