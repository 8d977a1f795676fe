package dev.freshet.deliver.fence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Receiver;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Queue;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * No fence is ever early: writers with savepoints, rollbacks and the replaced system's upserts, two instances of which
 * one is killed again and again, a target that fails, refuses and goes away. Each answer is compared with what the
 * target has seen. Asks as many fences as fit into FRESHET_FENCE_SECONDS (20), FRESHET_FENCES_AT_ONCE (300) at a time;
 * bench/README.md describes a longer run.
 */
class FenceChaosIT {
    private static final int WRITERS = 4;
    private static final int TAGS = 30;
    private static final int SECONDS = setting("FRESHET_FENCE_SECONDS", 20);
    private static final int IN_FLIGHT = setting("FRESHET_FENCES_AT_ONCE", 300);

    /** Times are those of System.nanoTime(): before the commit was sent, and when the answer arrived. */
    private record Asked(
            String token, List<String> tags, boolean committed, long before, long answered, int status, String body) {}

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private final Queue<Asked> answers = new ConcurrentLinkedQueue<>();
    private final Semaphore places = new Semaphore(IN_FLIGHT);
    private final AtomicReferenceArray<FreshetProcess> instances = new AtomicReferenceArray<>(2);
    private final AtomicInteger early = new AtomicInteger();
    private volatile boolean over;

    @Timeout(3600)
    @Test
    void no_fence_is_early_whatever_happens() throws Exception {
        try (Scene scene = new Scene("FRESHET_LEASE=8s", "FRESHET_RETRY_FOR=1h")) {
            instances.set(0, scene.start());
            instances.set(1, scene.start());
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < WRITERS; i++) {
                int number = i;
                threads.add(new Thread(() -> write(scene, number)));
            }
            threads.add(new Thread(() -> trouble(scene.receiver)));
            threads.forEach(Thread::start);
            long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
            int kills = 0;
            while (System.nanoTime() < end) {
                int before = answers.size();
                Scene.until(
                        "more answers", () -> answers.size() > before + IN_FLIGHT * 2 / 3 || System.nanoTime() > end);
                instances.get(kills % 2).kill9();
                instances.set(kills % 2, scene.start());
                kills++;
            }
            over = true;
            for (Thread thread : threads) {
                thread.join();
            }
            assertTrue(
                    places.tryAcquire(IN_FLIGHT, 120, java.util.concurrent.TimeUnit.SECONDS),
                    "some were never answered");
            check(scene.receiver);
            System.out.println(answers.size() + " fences, " + kills + " kills, early: " + early.get());
            assertEquals(0, early.get());
        }
    }

    private static int setting(String name, int otherwise) {
        return Integer.parseInt(System.getenv().getOrDefault(name, Integer.toString(otherwise)));
    }

    private void write(Scene scene, int number) {
        Random random = new Random(number);
        try (Connection app = scene.database.connect()) {
            app.setAutoCommit(false);
            while (!over) {
                places.acquire();
                transaction(app, random, number);
            }
        } catch (SQLException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void transaction(Connection app, Random random, int number) throws SQLException {
        List<String> tags = new ArrayList<>();
        try {
            if (random.nextBoolean()) {
                fence(app);
            }
            for (int i = random.nextInt(3); i >= 0; i--) {
                String tag = "tag-" + random.nextInt(TAGS);
                switch (random.nextInt(5)) {
                    case 0 ->
                        TestDatabase.run(
                                app, "SAVEPOINT s; SELECT enqueue_cache_invalidation('" + tag + "'); RELEASE s");
                    case 1 ->
                        TestDatabase.run(
                                app,
                                "SAVEPOINT s; SELECT enqueue_cache_invalidation('tag-0'); ROLLBACK TO s;"
                                        + " SELECT enqueue_cache_invalidation('" + tag + "')");
                    case 2 -> {
                        tag = "upserted-" + number;
                        TestDatabase.run(
                                app,
                                "SET LOCAL lock_timeout = '200ms'; INSERT INTO public.cache_invalidation_queue AS q"
                                        + " (tag, time_bucket, invalidation_count) VALUES ('" + tag
                                        + "', date_bin('1 day', now(), timestamptz 'epoch'), 1) ON CONFLICT (tag,"
                                        + " time_bucket) DO UPDATE SET invalidation_count = q.invalidation_count + 1");
                    }
                    default -> Scene.enqueue(app, tag);
                }
                tags.add(tag);
            }
            String token = fence(app);
            boolean commits = random.nextInt(10) > 0;
            long before = System.nanoTime();
            if (commits) {
                app.commit();
            } else {
                app.rollback();
            }
            ask(new Asked(token, tags, commits, before, 0, 0, null), random.nextInt(2));
        } catch (SQLException locked) {
            app.rollback();
            places.release();
            if (!"55P03".equals(locked.getSQLState())) {
                throw locked;
            }
        }
    }

    /** Asks until there is an answer, from the other instance if one has been killed meanwhile. */
    private void ask(Asked asked, int which) {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(instances.get(which).url() + "/api/fresh?after=" + asked.token() + "&wait=5s"))
                .timeout(Duration.ofSeconds(20))
                .build();
        CompletableFuture<HttpResponse<String>> answer = http.sendAsync(request, HttpResponse.BodyHandlers.ofString());
        answer.whenComplete((response, failure) -> {
            if (failure == null && (response.statusCode() == 200 || response.statusCode() == 404)) {
                answers.add(new Asked(
                        asked.token(),
                        asked.tags(),
                        asked.committed(),
                        asked.before(),
                        System.nanoTime(),
                        response.statusCode(),
                        response.body()));
                places.release();
            } else {
                ask(asked, 1 - which);
            }
        });
    }

    private static String fence(Connection app) throws SQLException {
        return TestDatabase.list(app, "SELECT cache_invalidation_fence()").get(0);
    }

    /** Each trouble lasts until some more calls have arrived: few if all fail, because then each call is a probe. */
    private void trouble(Receiver receiver) {
        Random random = new Random(7);
        while (!over) {
            String tag = "tag-" + random.nextInt(TAGS);
            int kind = random.nextInt(4);
            int calls = kind == 0 ? 4 : 20;
            switch (kind) {
                case 0 -> receiver.everybody(Receiver.status(503));
                case 1 -> receiver.always(tag, Receiver.status(500));
                case 2 -> receiver.always(tag, Receiver.status(400));
                default -> receiver.always(tag, Receiver.reset());
            }
            int before = receiver.calls().size();
            Scene.until("more calls", () -> receiver.calls().size() > before + calls || over);
            receiver.everybody(null);
            receiver.heal(tag);
        }
    }

    private void check(Receiver receiver) {
        Map<String, NavigableSet<Long>> well = new HashMap<>();
        for (Receiver.Call call : receiver.calls()) {
            if (call.wentWell()) {
                call.tags()
                        .forEach(tag ->
                                well.computeIfAbsent(tag, t -> new TreeSet<>()).add(call.nanos()));
            }
        }
        for (Asked asked : answers) {
            assertEquals(asked.committed() ? 200 : 404, asked.status(), asked::toString);
            if (asked.committed()) {
                for (String tag : asked.tags()) {
                    boolean givenUp = asked.body().contains("\"tag\":\"" + tag + "\"");
                    Long call = well.getOrDefault(tag, new TreeSet<>()).ceiling(asked.before());
                    if (!givenUp && (call == null || call > asked.answered())) {
                        early.incrementAndGet();
                        System.err.println("early: " + tag + " of " + asked);
                    }
                }
            }
        }
    }
}
