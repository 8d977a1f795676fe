package dev.freshet.cache;

import dev.freshet.database.SqlFile;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Uses PostgreSQL as the broker: NOTIFY "cache-invalidate" in the transaction that deletes the events, in a single
 * statement.
 */
public final class Topic {
    private final SqlFile notify = SqlFile.of("cache/notify");
    private final DataSource dataSource;

    public Topic(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    public void publish(String event) throws SQLException {
        if (!TransactionSynchronizationManager.isSynchronizationActive()) {
            send(List.of(event));
            return;
        }
        for (TransactionSynchronization pending : TransactionSynchronizationManager.getSynchronizations()) {
            if (pending instanceof Pending mine) {
                mine.events.add(event);
                return;
            }
        }
        Pending first = new Pending();
        first.events.add(event);
        TransactionSynchronizationManager.registerSynchronization(first);
    }

    private void send(List<String> events) throws SQLException {
        java.sql.Connection connection = DataSourceUtils.getConnection(dataSource);
        try {
            notify.rows(connection, Map.of("events", events));
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }

    private final class Pending implements TransactionSynchronization {
        private final List<String> events = new ArrayList<>();

        @Override
        public void beforeCommit(boolean readOnly) {
            try {
                send(events);
            } catch (SQLException e) {
                throw new org.springframework.jdbc.UncategorizedSQLException("notify", null, e);
            }
        }
    }
}
