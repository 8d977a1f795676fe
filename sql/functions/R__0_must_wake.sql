-- Whether this transaction has to wake a sleeping instance with NOTIFY. A transaction with a NOTIFY holds a lock of the
-- whole server while it commits, and the next one waits for it. So while one transaction that will notify is open,
-- others do not; if it is rolled back, or stays open, a glance, a poll or the next announcement of sleep helps. CASE,
-- because a condition with AND may be evaluated in any order.
CREATE OR REPLACE FUNCTION freshet.must_wake() RETURNS boolean
LANGUAGE sql VOLATILE
-- without SECURITY DEFINER and SET, PostgreSQL puts the expression in the place of the call
RETURN CASE WHEN pg_catalog.date_part('epoch', pg_catalog.now())
                OPERATOR(pg_catalog.<) pg_catalog.pg_sequence_last_value('freshet.asleep_until'::pg_catalog.regclass)
            THEN pg_catalog.pg_try_advisory_xact_lock(7382096, (
                pg_catalog.pg_sequence_last_value('freshet.asleep_until'::pg_catalog.regclass)
                    OPERATOR(pg_catalog.%) 2147483647)::integer) END;
