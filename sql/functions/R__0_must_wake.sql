-- Whether this transaction has to wake a sleeping instance with NOTIFY. A transaction with a NOTIFY holds a lock of the
-- whole server while it commits, and the next one waits for it. So while one transaction that will notify is open,
-- others do not; if it is rolled back, or stays open, the next glance or poll finds their changes.
CREATE OR REPLACE FUNCTION freshet.must_wake() RETURNS boolean
LANGUAGE sql VOLATILE
-- without SECURITY DEFINER and SET, PostgreSQL puts the expression in the place of the call
RETURN pg_catalog.date_part('epoch', pg_catalog.now())
           OPERATOR(pg_catalog.<) pg_catalog.pg_sequence_last_value('freshet.asleep_until'::pg_catalog.regclass)
       AND pg_catalog.pg_try_advisory_xact_lock(7382096);
