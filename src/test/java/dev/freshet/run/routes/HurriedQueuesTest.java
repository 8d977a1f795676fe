package dev.freshet.run.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.testing.Eventually;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HurriedQueuesTest {
    private final HurriedQueues queues = new HurriedQueues();
    private final BlockingQueue<Exchange> queue = queues.create(10);
    private final AtomicReference<Thread> reader = new AtomicReference<>();

    @Test
    void a_waiting_reader_is_woken_empty_handed_and_without_an_interrupt_flag() {
        CompletableFuture<Boolean> marked = read().thenApply(found -> {
            assertNull(found);
            return Thread.currentThread().isInterrupted();
        });
        queues.hurry();
        assertFalse(marked.join());
    }

    @Test
    void a_reader_that_arrives_during_a_stop_hardly_waits_and_finds_what_is_queued() throws Exception {
        queues.hurry();
        assertNull(queue.poll(1, TimeUnit.DAYS));
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            Exchange left = new DefaultExchange(context);
            queue.add(left);
            assertEquals(left, queue.poll(1, TimeUnit.DAYS));
        }
    }

    @Test
    void after_a_stop_readers_wait_again_and_can_be_interrupted() {
        queues.hurry();
        queues.calm();
        CompletableFuture<Exchange> found = read();
        reader.get().interrupt();
        assertEquals(
                InterruptedException.class,
                assertThrows(CompletionException.class, found::join).getCause().getClass());
    }

    /** A read that has begun and waits. */
    private CompletableFuture<Exchange> read() {
        CompletableFuture<Exchange> found = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                found.complete(queue.poll(1, TimeUnit.DAYS));
            } catch (InterruptedException e) {
                found.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        reader.set(thread);
        thread.start();
        Eventually.is(Duration.ofSeconds(30), () -> thread.getState() == Thread.State.TIMED_WAITING, () -> "waiting");
        return found;
    }
}
