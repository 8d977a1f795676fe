package dev.freshet.deliver.fence;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.database.Transactions;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** When those who wait for a fence are answered. */
class FencesTest {
    private static final long WAIT_NANOS = 500_000_000;

    @Test
    @Timeout(20)
    void whoever_has_waited_long_enough_when_an_attempt_fails_is_answered_after_that_attempt() {
        Away away = new Away();
        Fences fences = new Fences(new Transactions(away.dataSource()), Runnable::run);
        List<Integer> answers = new ArrayList<>();
        away.until = System.nanoTime() + WAIT_NANOS;
        fences.enter(new Fences.Waiter("a-token", away.until, standing -> answers.add(standing.status())));
        assertEquals(List.of(503), answers);
        assertEquals(List.of(true), away.begunInTime, "attempts, of which each may take seconds");
    }

    /** A database whose failure takes as long as somebody waits. */
    private static final class Away {
        private long until;
        private final List<Boolean> begunInTime = new ArrayList<>();

        DataSource dataSource() {
            return (DataSource) Proxy.newProxyInstance(
                    DataSource.class.getClassLoader(),
                    new Class<?>[] {DataSource.class},
                    (proxy, method, arguments) -> fail());
        }

        private Object fail() throws SQLException {
            begunInTime.add(until - System.nanoTime() > 0);
            while (until - System.nanoTime() > 0) {
                LockSupport.parkNanos(until - System.nanoTime());
            }
            throw new SQLException("no connection within 5 s");
        }
    }
}
