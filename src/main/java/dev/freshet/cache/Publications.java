package dev.freshet.cache;

import dev.freshet.LogIds;
import dev.freshet.source.SqlFile;
import dev.freshet.source.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Sends on what was committed to be published. Sending and forgetting are one transaction, which an endpoint on the same database (NOTIFY) joins: then
 * each event goes out exactly once. With another broker a death in between sends it again, with the same id.
 */
public final class Publications {
    private static final Logger LOG = LoggerFactory.getLogger(Publications.class);
    private static final int BATCH = 200;

    private final SqlFile take = SqlFile.of("take-publications");
    private final SqlFile published = SqlFile.of("published");
    private final SqlFile later = SqlFile.of("publish-later");
    private final DataSource dataSource;
    private final TransactionTemplate transaction;
    private final ProducerTemplate topic;
    private final Tallies tallies;

    public Publications(CamelContext context, DataSource dataSource, Tallies tallies) {
        this.dataSource = dataSource;
        this.transaction = new TransactionTemplate(new DataSourceTransactionManager(dataSource));
        this.topic = context.createProducerTemplate();
        this.tallies = tallies;
    }

    public void sendOn() {
        int limit = BATCH;
        while (true) {
            int rows = limit;
            try {
                int sent = transaction.execute(status -> inTransaction(rows));
                if (sent == 0 || sent < rows && rows == BATCH) {
                    return;
                }
            } catch (TransactionException e) {
                throw e;                        // the database itself is away: nothing can be sent at all
            } catch (RuntimeException e) {
                // one that cannot be sent, or not even be read, must not hold up the others: from here on each goes by itself
                if (rows == 1) {
                    postpone(e);
                }
                limit = 1;
            }
        }
    }

    private int inTransaction(int limit) {
        return with(c -> {
            List<Map<String, Object>> rows = take.rows(c, Map.of("limit", limit));
            List<Long> numbers = new ArrayList<>();
            for (Map<String, Object> row : rows) {
                numbers.add((Long) row.get("number"));
                for (String event : Events.of(row)) {
                    topic.sendBody("direct:publish", event);
                }
            }
            if (!numbers.isEmpty()) {
                published.update(c, Map.of("numbers", numbers));
            }
            return rows.size();
        });
    }

    private void postpone(RuntimeException why) {
        tallies.count("publish_failures");
        transaction.executeWithoutResult(status -> with(c -> {
            for (Map<String, Object> row : take.rows(c, Map.of("limit", 1))) {
                later.update(c, Map.of("number", row.get("number")));
                String request = String.valueOf(row.get("request_id"));
                LogIds.with(Map.of("request", request), () -> LOG.warn("The event of request {} could not be published and is tried again later: {}", request,
                        why.getCause() == null ? why.toString() : why.getCause().toString()));
            }
            return null;
        }));
    }

    private <T> T with(Transactions.Work<T> work) {
        Connection connection = DataSourceUtils.getConnection(dataSource);
        try {
            return work.on(connection);
        } catch (SQLException e) {
            throw new org.springframework.jdbc.UncategorizedSQLException("publish", null, e);
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }
}
