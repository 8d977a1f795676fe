package dev.freshet.testing;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * Stops the database before one statement for one tag: a trigger that waits, without a lock that lock_timeout would
 * apply to.
 */
public final class Hold implements AutoCloseable {
    private static final int KEY = 4711;
    /**
     * The held session says so in its application name. Asking whether it sleeps would not do, since it is awake
     * between two sleeps.
     */
    private static final String NAME = "held by a test";

    private static final String HELD =
            " FROM pg_stat_activity WHERE datname = current_database() AND application_name = '" + NAME + "'";

    private final TestDatabase database;
    private final String table;
    private final Connection holder;

    /** @param when a condition on the row, such as {@code OLD.tag = 'a'} */
    public Hold(TestDatabase database, String event, String table, String when) throws SQLException {
        this.database = database;
        this.table = table;
        this.holder = database.connect();
        TestDatabase.run(holder, "SELECT pg_advisory_lock(" + KEY + ")");
        database.run(
                "CREATE OR REPLACE FUNCTION public.wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                        + " PERFORM set_config('application_name', '" + NAME + "', true);"
                        + " WHILE NOT pg_try_advisory_xact_lock_shared(" + KEY
                        + ") LOOP PERFORM pg_sleep(0.01); END LOOP;"
                        + " RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$;"
                        + " CREATE TRIGGER held BEFORE " + event + " ON " + table + " FOR EACH ROW WHEN (" + when
                        + ") EXECUTE FUNCTION public.wait_for_the_test()");
    }

    public void awaitReached() {
        Scene.until(
                "Freshet is held at " + table,
                () -> !TestDatabase.list(holder, "SELECT 1" + HELD).isEmpty());
    }

    /** What the system does for a process that was killed: its connections end, whatever they were waiting for. */
    public void kill() throws SQLException {
        TestDatabase.run(holder, "SELECT pg_terminate_backend(pid, 10000)" + HELD);
    }

    @Override
    public void close() throws SQLException {
        kill();
        holder.close();
        database.run("DROP TRIGGER held ON " + table);
    }
}
