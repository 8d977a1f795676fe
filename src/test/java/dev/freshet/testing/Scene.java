package dev.freshet.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A database, a receiver, and Freshet between them. Changes are handed over at once, and all changes of a day fall into
 * one bucket, so that a tag always has the same row; calls that get no answer end after a second.
 */
public final class Scene implements AutoCloseable {
    public static final String SECRET = "plain-secret-7f3a";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final AtomicInteger SENTINELS = new AtomicInteger();

    public final TestDatabase database;
    public final Receiver receiver = new Receiver();
    private final Connection eye;
    private final Map<String, String> environment = new HashMap<>();
    private final List<FreshetProcess> processes = new ArrayList<>();

    /** @param settings NAME=value, which override the scene's own */
    public Scene(String... settings) throws Exception {
        this(TestDatabase.migrated(), settings);
    }

    public Scene(TestDatabase database, String... settings) throws SQLException {
        this.database = database;
        this.eye = database.connect();
        set(
                "DATABASE_URL=" + database.url(),
                "VERCEL_DEPLOYMENT_URL=" + receiver.url(),
                "REVALIDATION_SECRET=" + SECRET,
                "FRESHET_BUCKET=1d",
                "FRESHET_DEBOUNCE=0",
                "FRESHET_QUEUE_POLL=200ms",
                "FRESHET_TARGET_TIMEOUT=3s",
                "FRESHET_LEASE=8s");
        set(settings);
    }

    public void set(String... settings) {
        Arrays.stream(settings)
                .map(setting -> setting.split("=", 2))
                .forEach(pair -> environment.put(pair[0], pair[1]));
    }

    public FreshetProcess start() {
        return start(FreshetProcess.newFolder());
    }

    public FreshetProcess start(Path folder) {
        FreshetProcess freshet = FreshetProcess.start(folder, environment);
        processes.add(freshet);
        return freshet;
    }

    /** Only starts it, with another main class than the jar's. */
    public FreshetProcess launch(Path folder, List<String> arguments) {
        FreshetProcess freshet = FreshetProcess.launch(folder, environment, arguments);
        processes.add(freshet);
        return freshet;
    }

    /** Adds a target as an operator does: with a file. */
    public static Path dropTarget(Path folder, String name, Receiver receiver) {
        try {
            String text = Files.readString(Path.of("routes/targets/tag.camel.yaml"))
                    .replaceAll("id: (?!target-)(\\S+)", "id: $1-" + name)
                    .replace("target-tag", "target-" + name)
                    .replace("name: tag", "name: " + name)
                    .replace("{{freshet.deliver.tag-target-url}}", receiver.url());
            return Files.writeString(folder.resolve("routes/targets/" + name + ".yaml"), text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Changes tags in one transaction of an application. */
    public void change(String... tags) throws SQLException {
        try (Connection application = database.connect()) {
            enqueue(application, tags);
        }
    }

    public static void enqueue(Connection application, String... tags) throws SQLException {
        try (var statement = application.prepareStatement("SELECT enqueue_cache_invalidation(?::text[])")) {
            statement.setQueryTimeout((int) PATIENCE.toSeconds());
            statement.setArray(1, application.createArrayOf("text", tags));
            statement.execute();
        }
    }

    /** A token for what the open transaction changes, for GET /api/fresh. */
    public static String fence(Connection application) throws SQLException {
        return TestDatabase.list(application, "SELECT cache_invalidation_fence()")
                .get(0);
    }

    /** @return the token of the transaction that changed these tags, which has committed */
    public String changeWithFence(String... tags) throws SQLException {
        try (Connection application = database.connect()) {
            application.setAutoCommit(false);
            enqueue(application, tags);
            String token = fence(application);
            application.commit();
            return token;
        }
    }

    /** Changes the tag, and waits until it has been called once more and everything known of it is processed. */
    public void changeAndAwait(String tag) throws SQLException {
        int before = receiver.calls(tag).size();
        change(tag);
        receiver.awaitCalls(tag, before + 1);
        awaitProcessed(tag);
    }

    /**
     * Afterwards, everything that was committed before this call and was due at once has happened: two changes have
     * gone all the way.
     */
    public void letEverythingPass() throws SQLException {
        changeAndAwait("sentinel-" + SENTINELS.incrementAndGet());
        changeAndAwait("sentinel-" + SENTINELS.incrementAndGet());
    }

    public void awaitProcessed(String... tags) {
        until(
                List.of(tags) + " processed",
                () -> isTrue(
                        "SELECT count(DISTINCT q.tag) = cardinality(t.tags) AND bool_and(last_invalidated_at IS NOT"
                                + " NULL AND handover IS NULL AND invalidation_count = handed_count) AND NOT EXISTS"
                                + " (SELECT FROM freshet.inbox WHERE tag = ANY (t.tags))"
                                + " FROM (SELECT ?::text[] AS tags) t"
                                + " JOIN public.cache_invalidation_queue q ON q.tag = ANY (t.tags) GROUP BY t.tags",
                        (Object) tags));
    }

    public boolean isTrue(String sql, Object... arguments) throws SQLException {
        return list(sql, arguments).equals(List.of("t"));
    }

    public String one(String sql, Object... arguments) throws SQLException {
        return list(sql, arguments).get(0);
    }

    private synchronized List<String> list(String sql, Object... arguments) throws SQLException {
        Object[] usable = arguments.clone();
        for (int i = 0; i < usable.length; i++) {
            usable[i] = usable[i] instanceof String[] array ? eye.createArrayOf("text", array) : usable[i];
        }
        return TestDatabase.list(eye, sql, usable);
    }

    public static void until(String what, Callable<Boolean> condition) {
        Eventually.is(
                PATIENCE,
                () -> {
                    try {
                        return condition.call();
                    } catch (Exception e) {
                        throw new AssertionError(what, e);
                    }
                },
                () -> what);
    }

    @Override
    public void close() throws Exception {
        receiver.close();
        for (FreshetProcess freshet : processes) {
            freshet.kill9();
        }
        eye.close();
        database.close();
    }
}
