-- A position that covers everything this statement could see as committed. Its own transaction's number makes the
-- commit write something: so what stands before it is flushed, and a replica can reach it, though nobody else commits.
SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS position, pg_current_xact_id()::text AS transaction
