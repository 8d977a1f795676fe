package dev.freshet.queue;

import dev.freshet.database.Transactions;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Without the probing thread nothing is found until the poll, so nothing but a stop may end it. */
class ProbingTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final AtomicInteger looks = new AtomicInteger();
    private final AtomicReference<Thread> looksIn = new AtomicReference<>();
    private final AtomicReference<Error> fails = new AtomicReference<>();
    private TestDatabase database;
    private DefaultCamelContext context;

    @BeforeEach
    void start() throws Exception {
        database = TestDatabase.migrated();
        context = new DefaultCamelContext();
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                from("direct:probe-it").routeId("probe-it").process(exchange -> {
                    looksIn.set(Thread.currentThread());
                    looks.incrementAndGet();
                });
            }
        });
        Probing probing = new Probing(
                context, "probe-it", this::every, new Sleep(new Transactions(database.pool(1)), () -> false));
        context.addService(probing);
        context.start();
        probing.begin();
    }

    private Duration every() {
        Error failure = fails.getAndSet(null);
        if (failure != null) {
            throw failure;
        }
        return Duration.ofMillis(1);
    }

    @AfterEach
    void stop() throws Exception {
        context.close();
        database.close();
    }

    @Test
    void an_interrupt_does_not_end_probing() {
        awaitMoreLooks();
        looksIn.get().interrupt();
        awaitMoreLooks();
    }

    @Test
    void an_error_does_not_end_probing() {
        awaitMoreLooks();
        fails.set(new StackOverflowError("once"));
        Eventually.is(PATIENCE, () -> fails.get() == null, () -> "not thrown");
        awaitMoreLooks();
    }

    private void awaitMoreLooks() {
        int before = looks.get();
        // one may have been under way
        Eventually.is(PATIENCE, () -> looks.get() > before + 1, () -> "no look after " + before);
    }
}
