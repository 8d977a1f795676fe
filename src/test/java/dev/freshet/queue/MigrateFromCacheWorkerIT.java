package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.Walkthrough;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Follows docs/migrate-from-cache-worker.md as written, there and back, on a database that never stops changing. Its
 * marked blocks are run in their order between an old worker that loses changes, as the replaced one did, and a cache
 * that reloads what it is told to reload.
 */
@Timeout(240)
class MigrateFromCacheWorkerIT {
    private static final String DOCUMENT = "docs/migrate-from-cache-worker.md";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Set<String> GIVE_WAY = Set.of("55P03", "40P01");

    private TestDatabase database;
    private Walkthrough guide;
    private Cache cache;
    private Writers writers;
    private OldWorker oldWorker;

    @BeforeEach
    void startOldSystem() throws Exception {
        database = TestDatabase.empty();
        database.run(OLD_SYSTEM);
        guide = new Walkthrough(DOCUMENT, database);
        cache = new Cache(database.pool(8));
        writers = new Writers(database);
        oldWorker = new OldWorker(database, cache.url());
    }

    @AfterEach
    void stopEverything() throws Exception {
        writers.close();
        oldWorker.close();
        cache.close();
        database.close();
    }

    @Test
    void nothing_that_changes_during_the_switch_over_or_the_way_back_is_lost() throws Exception {
        run("look");
        writers.write(50);
        int first = writers.written();
        try (FreshetProcess freshet = FreshetProcess.start(Map.of(
                "DATABASE_URL",
                database.url(),
                "VERCEL_DEPLOYMENT_URL",
                cache.url(),
                "REVALIDATION_SECRET",
                "shared"))) {
            int beside = writers.written();
            writers.write(200);
            guide.check("check-start");
            run("try");
            guide.check("check-try");
            run("stop-worker");
            guide.check("check-stop-worker");
            writers.write(100);
            run("watch");
            writers.write(100);
            run("disable-trigger");
            writers.write(100);
            guide.check("check-watch");
            assertCacheIsTrue(beside, writers.written());

            int back = writers.written();
            run("enable-trigger");
            writers.write(50);
            run("unwatch");
            cache.down(true);
            writers.write(150);
            int stopped = writers.written();
            assertEquals(0, freshet.term(), freshet.log());
            cache.down(false);
            run("hand-back");
            writers.write(50);
            run("start-worker");
            assertCacheIsTrue(back, stopped);
            writers.close();
            guide.check("check-back");
            assertTrue(first > 0 && oldWorker.calls.get() > 0, "the old system was at work, too");
        }
    }

    @Test
    void every_block_of_the_document_is_run() {
        guide.everyBlockIsRunIn(MigrateFromCacheWorkerIT.class);
    }

    private void assertCacheIsTrue(int from, int to) {
        assertTrue(to > from);
        Eventually.is(
                PATIENCE,
                () -> stale(from, to).isEmpty(),
                () -> "stale of " + from + " to " + to + ": " + stale(from, to));
    }

    private List<String> stale(int from, int to) {
        List<String> stale = new ArrayList<>();
        try (Connection c = database.connect();
                PreparedStatement s =
                        c.prepareStatement("SELECT id, version FROM courses WHERE id > ? AND id <= ? ORDER BY id")) {
            s.setInt(1, from);
            s.setInt(2, to);
            ResultSet row = s.executeQuery();
            while (row.next()) {
                if (cache.version(row.getInt(1)) != row.getInt(2)) {
                    stale.add("course:" + row.getInt(1) + " is " + row.getInt(2) + ", cached "
                            + cache.version(row.getInt(1)));
                }
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        return stale;
    }

    /** As the document says: a statement that meets somebody else's lock gives way and is run again. */
    private void run(String name) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            try (Connection c = database.connect();
                    Statement s = c.createStatement()) {
                s.execute(guide.block(name));
                return;
            } catch (SQLException e) {
                if (!GIVE_WAY.contains(e.getSQLState()) || attempt == 20) {
                    throw e;
                }
            }
        }
    }

    private static final String OLD_SYSTEM = """
        CREATE TABLE courses (id integer PRIMARY KEY, version integer NOT NULL DEFAULT 0);
        CREATE TABLE cache_invalidation_queue (
            tag text NOT NULL, time_bucket timestamptz NOT NULL, invalidation_count integer NOT NULL DEFAULT 1,
            last_invalidated_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tag, time_bucket));
        CREATE FUNCTION queue_course_invalidation() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO cache_invalidation_queue (tag, time_bucket, invalidation_count)
            VALUES ('course:' || NEW.id, to_timestamp(floor(extract(epoch FROM now()) / 5) * 5), 1)
            ON CONFLICT (tag, time_bucket)
            DO UPDATE SET invalidation_count = cache_invalidation_queue.invalidation_count + 1;
            RETURN NULL;
        END $$;
        CREATE TRIGGER courses_cache_invalidation AFTER INSERT OR UPDATE ON courses
            FOR EACH ROW EXECUTE FUNCTION queue_course_invalidation();
        CREATE FUNCTION cleanup_old_cache_invalidations() RETURNS void LANGUAGE sql AS
            $$ DELETE FROM cache_invalidation_queue WHERE last_invalidated_at < now() - interval '1 hour' $$;
        -- as much of pg_cron as the document uses
        CREATE SCHEMA cron;
        CREATE TABLE cron.job (jobid bigint PRIMARY KEY, schedule text, command text, active boolean);
        CREATE FUNCTION cron.alter_job(job_id bigint, schedule text DEFAULT NULL, command text DEFAULT NULL,
            database text DEFAULT NULL, username text DEFAULT NULL, active boolean DEFAULT NULL) RETURNS void
            LANGUAGE sql AS
            $$ UPDATE cron.job j SET active = coalesce(alter_job.active, j.active) WHERE jobid = job_id $$;
        INSERT INTO cron.job VALUES (1, '5 seconds',
            'SELECT net.http_post(url := ''https://ref.supabase.co/functions/v1/cache-invalidation-worker'')', true);
        """;

    /** Changes each course three times in a row and then never again, so that no later call makes up for a lost one. */
    private static final class Writers implements AutoCloseable {
        private final TestDatabase database;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private final ConcurrentSkipListSet<Integer> inHand = new ConcurrentSkipListSet<>();
        private final ExecutorService threads = Executors.newFixedThreadPool(2);
        private volatile boolean stopped;
        private volatile Throwable failure;

        Writers(TestDatabase database) {
            this.database = database;
            for (int thread = 0; thread < 2; thread++) {
                threads.execute(this::changeCourses);
            }
        }

        /** All courses up to here will not change any more. */
        synchronized int written() {
            int upTo = next.get();
            return inHand.isEmpty() ? upTo : Math.min(upTo, inHand.first() - 1);
        }

        /** Waits until this many more courses have been written. */
        void write(int courses) {
            int enough = done.get() + courses;
            Eventually.is(
                    PATIENCE,
                    () -> done.get() >= enough || failure != null,
                    () -> done.get() + " courses of " + enough);
            assertEquals(null, failure);
        }

        private synchronized int take() {
            int id = next.incrementAndGet();
            inHand.add(id);
            return id;
        }

        private void changeCourses() {
            try (Connection c = database.connect();
                    PreparedStatement insert = c.prepareStatement("INSERT INTO courses (id) VALUES (?)");
                    PreparedStatement update =
                            c.prepareStatement("UPDATE courses SET version = version + 1 WHERE id = ?")) {
                while (!stopped) {
                    int id = take();
                    insert.setInt(1, id);
                    insert.execute();
                    update.setInt(1, id);
                    for (int change = 0; change < 2; change++) {
                        LockSupport.parkNanos(5_000_000);
                        update.execute();
                    }
                    done.incrementAndGet();
                    inHand.remove(id);
                }
            } catch (Throwable e) {
                failure = e;
            }
        }

        @Override
        public void close() {
            stopped = true;
            threads.shutdown();
        }
    }

    /**
     * Reads what is pending, calls, and marks whatever is pending by then. So it loses what arrived in between, and
     * what failed.
     */
    private static final class OldWorker implements AutoCloseable {
        private final AtomicInteger calls = new AtomicInteger();
        private final TestDatabase database;
        private final String url;
        private final HttpClient http = HttpClient.newHttpClient();
        private final Thread thread = new Thread(this::work, "old-worker");
        private volatile boolean stopped;

        OldWorker(TestDatabase database, String url) {
            this.database = database;
            this.url = url;
            thread.start();
        }

        private void work() {
            while (!stopped) {
                try {
                    if (!database.list("SELECT 1 FROM cron.job WHERE active").isEmpty()) {
                        runOnce();
                    }
                } catch (SQLException | IOException deadlockOrDown) {
                    System.out.println("old worker: " + deadlockOrDown); // its next run comes anyway
                } catch (InterruptedException e) {
                    return;
                }
                LockSupport.parkNanos(200_000_000);
            }
        }

        private void runOnce() throws SQLException, IOException, InterruptedException {
            List<String> tags = database.list(
                    "SELECT DISTINCT tag FROM cache_invalidation_queue WHERE last_invalidated_at IS NULL");
            for (String tag : tags) {
                http.send(
                        HttpRequest.newBuilder(URI.create(url + "/api/revalidate"))
                                .header("content-type", "application/json")
                                .POST(BodyPublishers.ofString("{\"tag\":\"" + tag + "\"}"))
                                .build(),
                        BodyHandlers.discarding());
                calls.incrementAndGet();
            }
            try (Connection c = database.connect();
                    PreparedStatement mark = c.prepareStatement(
                            "UPDATE cache_invalidation_queue SET last_invalidated_at = now() WHERE last_invalidated_at"
                                    + " IS NULL AND tag = ANY (?)")) {
                mark.setArray(1, c.createArrayOf("text", tags.toArray()));
                mark.execute();
            }
        }

        @Override
        public void close() throws InterruptedException {
            stopped = true;
            thread.interrupt();
            thread.join();
        }
    }

    /** Holds a version of each course and reloads it from the database when its tag is invalidated. */
    private static final class Cache implements AutoCloseable {
        private static final Pattern COURSE = Pattern.compile("\\{\"tag\":\"course:(\\d+)\"}");

        private final Map<Integer, Integer> versions = new ConcurrentHashMap<>();
        private final DataSource source;
        private final HttpServer server;
        private final ExecutorService threads = Executors.newFixedThreadPool(8);
        private volatile boolean down;

        Cache(DataSource source) throws IOException {
            this.source = source;
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
            server.createContext("/api/revalidate", this::revalidate);
            server.setExecutor(threads);
            server.start();
        }

        String url() {
            return "http://127.0.0.1:" + server.getAddress().getPort();
        }

        int version(int course) {
            return versions.getOrDefault(course, -1);
        }

        void down(boolean now) {
            down = now;
        }

        private void revalidate(HttpExchange exchange) throws IOException {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            int status = down ? 503 : 200;
            Matcher course = COURSE.matcher(body);
            if (!down && course.matches()) {
                try {
                    reload(Integer.parseInt(course.group(1)));
                } catch (SQLException e) {
                    status = 500;
                }
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        }

        private void reload(int id) throws SQLException {
            try (Connection c = source.getConnection();
                    PreparedStatement s = c.prepareStatement("SELECT version FROM courses WHERE id = ?")) {
                s.setInt(1, id);
                ResultSet row = s.executeQuery();
                if (row.next()) {
                    versions.merge(id, row.getInt(1), Math::max);
                }
            }
        }

        @Override
        public void close() {
            server.stop(0);
            threads.shutdownNow();
        }
    }
}
