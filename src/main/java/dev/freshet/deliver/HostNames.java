package dev.freshet.deliver;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.Security;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Resolves the host names that are in use, again every ten seconds. Each name is looked up by a thread of its own, so
 * DNS that does not answer holds up nothing else. If there is no answer, the last one remains valid.
 */
public final class HostNames implements AutoCloseable {
    /** Looks up host names. */
    public interface Resolver {
        /** @throws UnknownHostException also if the answer is temporarily not available */
        InetAddress[] addresses(String host) throws UnknownHostException;
    }

    /** @param at (System.nanoTime) when DNS gave this answer */
    record Answer(List<String> ips, long at) {}

    private static final Logger LOG = LoggerFactory.getLogger(HostNames.class);
    private static final Duration EVERY = Duration.ofSeconds(10);
    /** Working DNS answers sooner than this. The turn that asks first waits no longer. */
    private static final long FIRST_MILLIS = 500;

    private final Map<String, Answer> answers = new ConcurrentHashMap<>();
    /** Completed once DNS has been asked, whatever it answered. */
    private final Map<String, CompletableFuture<Void>> wanted = new ConcurrentHashMap<>();

    private final Set<String> beingAsked = ConcurrentHashMap.newKeySet();
    private final Set<String> unanswered = ConcurrentHashMap.newKeySet();
    private final ExecutorService askers = Executors.newCachedThreadPool(daemons("resolve"));
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(daemons("resolve-again"));
    private final Resolver resolver;
    private final Duration every;

    public HostNames(Resolver resolver) {
        this(resolver, EVERY);
    }

    HostNames(Resolver resolver, Duration every) {
        this.resolver = resolver;
        this.every = every;
    }

    /**
     * Shortens Java's cache of DNS answers, which would keep each for half a minute. Must be called before the first
     * lookup.
     */
    public static void forgetSoon() {
        if (Security.getProperty("networkaddress.cache.ttl") == null) {
            Security.setProperty("networkaddress.cache.ttl", "5");
            Security.setProperty("networkaddress.cache.negative.ttl", "1");
        }
    }

    /** The last answer of DNS, or null if there never was one. */
    Answer of(String host) {
        if (!wanted.containsKey(host)) {
            CompletableFuture<Void> asked = new CompletableFuture<>();
            wanted.put(host, asked);
            ask(host);
            clock.scheduleWithFixedDelay(() -> ask(host), every.toMillis(), every.toMillis(), TimeUnit.MILLISECONDS);
            try {
                asked.get(FIRST_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException | ExecutionException e) {
                LOG.debug("{} is asked for", host);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return answers.get(host);
    }

    /** Whether the answer is from the latest lookup that was due. */
    static boolean isNew(Answer answer) {
        return System.nanoTime() - answer.at()
                < EVERY.multipliedBy(3).dividedBy(2).toNanos();
    }

    private void ask(String host) {
        if (beingAsked.add(host)) {
            askers.execute(() -> {
                try {
                    note(host, resolver.addresses(host));
                } catch (UnknownHostException | RuntimeException e) {
                    if (unanswered.add(host)) {
                        LOG.warn(
                                "DNS does not say what {} stands for: {}. What was known of it stays",
                                host,
                                e.getMessage());
                    }
                } finally {
                    beingAsked.remove(host);
                    wanted.get(host).complete(null);
                }
            });
        }
    }

    private void note(String host, InetAddress[] addresses) throws UnknownHostException {
        List<String> ips = Arrays.stream(addresses)
                .map(NetUtil::toAddressString)
                .distinct()
                .sorted()
                .toList();
        if (ips.isEmpty()) {
            throw new UnknownHostException("no address");
        }
        Answer before = answers.put(host, new Answer(ips, System.nanoTime()));
        if (unanswered.remove(host) || before == null || !before.ips().equals(ips)) {
            LOG.info("{} stands for {}", host, String.join(", ", ips));
        }
    }

    private static ThreadFactory daemons(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }

    @Override
    public void close() {
        clock.shutdownNow();
        askers.shutdownNow();
    }
}
