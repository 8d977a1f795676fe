package dev.freshet.database;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs statements in transactions. None of them holds its locks for long, whatever happens to this process: the server
 * ends a transaction whose client has been silent for some seconds (a suspended machine, a broken network).
 */
public final class Transactions {
    public interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(Transactions.class);
    private static final SqlFile PLAN_ONCE = SqlFile.of("database/plan-once");
    private static final SqlFile WITHOUT_AUDIT = SqlFile.of("audit/without-audit");
    private static final SqlFile COUNT_REFUSED_AUDIT = SqlFile.of("audit/count-refused-audit");

    private final DataSource dataSource;
    private final boolean pooled;

    public Transactions(DataSource dataSource) {
        this(dataSource, false);
    }

    /** @param pooled behind a transaction pooler, where no session state outlasts a transaction */
    public Transactions(DataSource dataSource, boolean pooled) {
        this.dataSource = dataSource;
        this.pooled = pooled;
    }

    /** Runs one statement, which is a transaction by itself. */
    public <T> T inOne(Work<T> work) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            return work.on(connection);
        }
    }

    /**
     * Runs statements that need not see the same state, under the same settings as in a transaction. If the session has
     * these settings, BEGIN and COMMIT are omitted. This is for work that even an idle instance does every few seconds.
     */
    public <T> T inOneOnTerms(Work<T> work) throws SQLException {
        return pooled ? in(work) : inOne(work);
    }

    public <T> T in(Work<T> work) throws SQLException {
        return in(work, false);
    }

    /** For statements whose plan is the same whatever their tables contain: they are planned once per session. */
    public <T> T inPlannedOnce(Work<T> work) throws SQLException {
        return in(work, true);
    }

    private <T> T in(Work<T> work, boolean plannedOnce) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            connection.setAutoCommit(false);
            try {
                if (pooled) { // otherwise Database has set this for the session
                    sayTerms(connection, Database.IDLE_IN_TRANSACTION);
                } else if (plannedOnce) { // behind a pooler no session state is kept
                    PLAN_ONCE.rows(connection, Map.of());
                }
                T result = work.on(connection);
                connection.commit();
                return result;
            } catch (Throwable failure) {
                try {
                    connection.rollback();
                } catch (SQLException alsoGone) {
                    failure.addSuppressed(alsoGone);
                }
                throw failure;
            }
        }
    }

    /**
     * Must run first in a transaction.
     *
     * @param silence after this, the server ends the transaction, such as 5s
     */
    public static void sayTerms(Connection connection, String silence) throws SQLException {
        try (Statement terms = connection.createStatement()) {
            terms.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
                    + " SET LOCAL idle_in_transaction_session_timeout = '" + silence + "';"
                    + " SET LOCAL random_page_cost = 1.1;"
                    + " SET LOCAL enable_seqscan = off; SET LOCAL enable_mergejoin = off");
        }
    }

    /**
     * For work that writes audit rows. An adopted audit table may refuse a row (by a constraint of its own). The work
     * is then repeated without audit rows, which is counted and logged. If it fails again, the audit was not the
     * reason.
     */
    public <T> T audited(Work<T> work) throws SQLException {
        try {
            return in(work);
        } catch (SQLException e) {
            if (!SqlState.isRefused(e)) {
                throw e;
            }
            T result = withoutAudit(work);
            LOG.warn("The table invalidation_audit refused a row, and does without it: {}", e.getMessage());
            return result;
        }
    }

    private <T> T withoutAudit(Work<T> work) throws SQLException {
        return in(connection -> {
            WITHOUT_AUDIT.rows(connection, Map.of());
            T result = work.on(connection);
            COUNT_REFUSED_AUDIT.update(connection, Map.of());
            return result;
        });
    }
}
