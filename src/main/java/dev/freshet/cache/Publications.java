package dev.freshet.cache;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.run.log.LogIds;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.Route;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Sends what was committed to be published. Sending an event and deleting it are one transaction. An endpoint on the
 * same database (NOTIFY) joins that transaction, so each event is sent exactly once. With another broker, an event is
 * sent again, with the same id, if the process dies in between.
 */
public final class Publications {
    /**
     * @param changes      whether entries have to leave the registry, because their tags changed
     * @param publications whether there are events to send
     */
    public record Waiting(boolean changes, boolean publications) {
        public boolean isAny() {
            return changes || publications;
        }
    }

    private record Copying(List<String> topics, int limit) {}

    /** @param copied whether to take only events that were copied for the other topics */
    private record Which(String topic, boolean copied) {}

    private record Share(Which which, int limit) {}

    private static final Logger LOG = LoggerFactory.getLogger(Publications.class);
    private static final int BATCH = 200;
    private static final String TOPIC = "publish";
    /**
     * How long a broker may take for a batch. A process that is stopped meanwhile holds up only the events of its
     * batch, because others skip them.
     */
    private static final String SENDING = "60s";

    private final SqlFile copy = SqlFile.of("cache/copy-publications");
    private final SqlFile whatWaits = SqlFile.of("cache/what-waits");
    private final SqlFile take = SqlFile.of("cache/take-publications");
    private final SqlFile published = SqlFile.of("cache/published");
    private final SqlFile later = SqlFile.of("cache/publish-later");
    private final DataSource dataSource;
    private final TransactionTemplate transaction;
    private final CamelContext context;
    private final ProducerTemplate producer;
    private final Tallies tallies;
    private final ExecutorService others;
    private final Set<String> busy = ConcurrentHashMap.newKeySet();

    public Publications(CamelContext context, DataSource dataSource, Tallies tallies) {
        this.dataSource = dataSource;
        this.transaction = new TransactionTemplate(new DataSourceTransactionManager(dataSource));
        this.context = context;
        this.producer = context.createProducerTemplate();
        this.tallies = tallies;
        this.others = context.getExecutorServiceManager().newCachedThreadPool(this, "publish");
    }

    /** Usually nothing; then no transaction is begun. */
    public Waiting whatWaits() {
        return with(c -> whatWaits.row(c, Map.of(), Waiting.class));
    }

    /**
     * Sends to the route {@code publish}, and to each {@code publish-NAME} at its own pace, because a broker may be
     * unreachable or hang.
     */
    public void sendOn() {
        if (!whatWaits().publications()) {
            return;
        }
        List<String> more = moreTopics();
        if (!more.isEmpty()) {
            copyFor(more);
            more.forEach(this::sendInItsOwnTime);
        }
        sendOn(TOPIC, !more.isEmpty());
    }

    private List<String> moreTopics() {
        return context.getRoutes().stream()
                .map(Route::getRouteId)
                .filter(id -> id.startsWith(TOPIC + "-"))
                .filter(id -> context.getRouteController().getRouteStatus(id).isStarted())
                .sorted()
                .toList();
    }

    private void copyFor(List<String> topics) {
        int copied;
        do {
            copied = transaction.execute(status -> with(c -> copy.update(c, new Copying(topics, BATCH))));
        } while (copied >= BATCH * topics.size());
    }

    private void sendInItsOwnTime(String topic) {
        if (busy.add(topic)) {
            others.execute(() -> {
                try {
                    sendOn(topic, true);
                } catch (RuntimeException e) {
                    LOG.warn("Events could not be sent on to {}: {}", topic, e.toString());
                } finally {
                    busy.remove(topic);
                }
            });
        }
    }

    private void sendOn(String topic, boolean copied) {
        Which which = new Which(topic, copied);
        int limit = BATCH;
        while (true) {
            int rows = limit;
            try {
                int sent = transaction.execute(status -> inTransaction(which, rows));
                if (sent == 0 || sent < rows && rows == BATCH) {
                    return;
                }
            } catch (TransactionException e) {
                throw e; // the database itself does not answer: nothing can be sent at all
            } catch (RuntimeException e) {
                // an event that cannot be sent, or not even read, must not hold up the others: from here on, each is
                // sent by itself
                if (rows == 1) {
                    postpone(which, e);
                }
                limit = 1;
            }
        }
    }

    private List<Publication> take(Connection connection, Which which, int limit) throws SQLException {
        return take.rows(connection, new Share(which, limit), Publication.class);
    }

    private int inTransaction(Which which, int limit) {
        return with(c -> {
            Transactions.sayTerms(c, SENDING);
            List<Publication> taken = take(c, which, limit);
            List<Long> numbers = new ArrayList<>();
            for (Publication publication : taken) {
                numbers.add(publication.number());
                for (String event : Events.of(publication)) {
                    producer.sendBody("direct:" + which.topic(), event);
                }
            }
            if (!numbers.isEmpty()) {
                published.update(c, Map.of("numbers", numbers));
            }
            return taken.size();
        });
    }

    private void postpone(Which which, RuntimeException why) {
        tallies.count("publish_failures");
        transaction.executeWithoutResult(status -> with(c -> {
            for (Publication publication : take(c, which, 1)) {
                later.update(c, Map.of("number", publication.number()));
                String request = publication.requestId();
                Throwable cause = why.getCause() == null ? why : why.getCause();
                LogIds.with(
                        Map.of("request", request),
                        () -> LOG.warn(
                                "The event of request {} could not be published"
                                        + " by {} and is tried again later: {}",
                                request,
                                which.topic(),
                                cause.toString()));
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
