package dev.freshet.run.beans;

import dev.freshet.deliver.policy.Policies;
import dev.freshet.live.Hints;
import dev.freshet.queue.Inbox;
import dev.freshet.queue.ManualRun;
import dev.freshet.queue.Moments;
import dev.freshet.queue.Probing;
import dev.freshet.queue.Retention;
import dev.freshet.queue.Sleep;
import dev.freshet.queue.Sparing;
import dev.freshet.queue.Turn;
import dev.freshet.run.routes.Wake;
import dev.freshet.settings.Setting;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The beans that routes/queue.camel.yaml names. */
record QueueBeans(Turn turn, Sleep sleep) {
    /** With a debounce below this, changes are looked for continuously; above it, the poll is soon enough. */
    private static final Duration SHORT_DEBOUNCE = Duration.ofSeconds(1);

    private static final Duration MANUAL_RUN = Duration.ofSeconds(30);

    static QueueBeans bind(Parts parts, DeliverBeans deliver) {
        Turn turn = new Turn(
                parts.transactions(),
                deliver.marking(),
                deliver.lanes(),
                deliver.callQueues()::add,
                parts.duration(Setting.BUCKET),
                parts.duration(Setting.DEBOUNCE));
        parts.bind("turn", turn);
        Sleep sleep = new Sleep(parts.transactions(), () -> Hints.listens(parts.context()));
        parts.bind("sleep", sleep);
        BooleanSupplier isWanted = isProbeWanted(parts, deliver.lanes().policies());
        Inbox inbox = new Inbox(parts.pool(), turn, sleep, isWanted);
        parts.bind("inbox", inbox);
        bindProbe(parts, "probe-inbox", () -> inbox.rest(parts.duration(Setting.QUEUE_PROBE)), sleep);
        parts.bind("moments", moments(parts));
        Retention retention = new Retention(
                parts.transactions(), parts.duration(Setting.QUEUE_RETENTION), parts.duration(Setting.RETRY_FOR));
        parts.bind("retention", retention);
        parts.bind("manualRun", new ManualRun(turn, retention, parts.transactions(), MANUAL_RUN));
        return new QueueBeans(turn, sleep);
    }

    /** Whether changes have to be looked for continuously, because some may be ripe before the next poll. */
    private static BooleanSupplier isProbeWanted(Parts parts, Policies policies) {
        boolean always = parts.duration(Setting.DEBOUNCE).compareTo(SHORT_DEBOUNCE) < 0;
        return () -> always || policies.hasSoonerThan(SHORT_DEBOUNCE);
    }

    /** @param route its id is also the bean's name */
    static void bindProbe(Parts parts, String route, Supplier<Duration> every, Sleep sleep) {
        Probing probing = new Probing(parts.context(), route, every, sleep);
        parts.bind(route, probing);
        try {
            parts.context().addService(probing);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static Moments moments(Parts parts) {
        Wake look = new Wake(parts.context(), "seda:look-at-clock?size=1&discardWhenFull=true");
        Wake handOver = new Wake(parts.context(), "seda:clock-struck?size=1&discardWhenFull=true");
        ScheduledExecutorService clock =
                parts.context().getExecutorServiceManager().newScheduledThreadPool(look, "clock", 1);
        return new Moments(
                parts.transactions(),
                new Sparing(3, Duration.ofMillis(5)), // at most a second late while an answer takes 300 ms
                oneAtATime(clock, look::now),
                handOver::now);
    }

    /** Of several scheduled runs only the newest one remains. */
    private static Consumer<Duration> oneAtATime(ScheduledExecutorService clock, Runnable what) {
        AtomicReference<Future<?>> pending = new AtomicReference<>(CompletableFuture.completedFuture(null));
        return wait -> pending.getAndSet(clock.schedule(what, wait.toNanos(), TimeUnit.NANOSECONDS))
                .cancel(false);
    }
}
