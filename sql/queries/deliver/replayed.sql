-- Run on a replica: the position up to which it has replayed its primary's WAL; null if it is not a replica.
SELECT pg_is_in_recovery() AS is_replica,
       CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint END AS replayed
