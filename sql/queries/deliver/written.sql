-- A position that covers everything this statement could see as committed. Assigning a transaction id makes the commit
-- write a WAL record, so everything before it is flushed, and a replica can reach it even if no one else commits.
SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS position, pg_current_xact_id()::text AS transaction
