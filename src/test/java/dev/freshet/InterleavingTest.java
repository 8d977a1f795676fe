package dev.freshet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.freshet.source.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The algorithm of docs/guarantees.md, statement by statement, in many orders: two workers, writers of Freshet's own way in, and a
 * foreign writer with the replaced system's upsert; transactions left open across other steps, crashes before and after each commit,
 * leases that run out under a living worker, targets that fail and refuse, breakers, clean-up. After every step it asks whether a
 * committed change that a target has not seen is still owed somewhere; at the end everything must have arrived.
 * Each guard of the statements is then taken out in turn: some order must show it.
 */
class InterleavingTest {
    private static final int SEEDS = 100;
    private static final int STEPS = 80;
    private static final List<String> TAGS = List.of("a", "b");
    private static final List<String> TARGETS = List.of("x", "y");

    private static TestDatabase database;
    private static World world;

    @BeforeAll
    static void open() throws Exception {
        database = TestDatabase.migrated();
        world = new World(database);
    }

    @AfterAll
    static void close() throws Exception {
        world.close();
        database.close();
    }

    @Timeout(120)
    @Test
    void in_every_order_nothing_is_lost_and_everything_arrives() throws Exception {
        for (int seed = 0; seed < SEEDS; seed++) {
            assertNull(chaos(seed, Guards.all()), "seed " + seed);
        }
    }

    @Timeout(120)
    @Test
    void in_every_order_without_faults_one_bucket_makes_one_call_per_tag_and_target() throws Exception {
        for (int seed = 0; seed < SEEDS; seed++) {
            assertNull(calm(seed, Guards.all()), "seed " + seed);
        }
    }

    static Stream<Arguments> guards() {
        return Stream.of(
                Arguments.of("settle keeps what is newer than the call", "settle", "d.handover > d.claimed_handover AS newer", "false AS newer"),
                Arguments.of("settle asks for the call's own lease", "settle", "AND d.lease_id = o.lease", ""),
                Arguments.of("a success clears the dead letter", "settle", "h.result = 'delivered' AND l.tag", "false AND l.tag"),
                Arguments.of("hand-over sees rows that have grown", "hand-over", "invalidation_count > handed_count", "false"),
                Arguments.of("hand-over moves what is owed on", "hand-over", "handover = excluded.handover,", ""),
                Arguments.of("processed needs an outcome at every target", "mark", "AND NOT EXISTS \\(SELECT FROM freshet.delivery[^)]*\\)", ""),
                Arguments.of("who settles one tag for two targets meets at its row", "lock-handed", "FOR UPDATE SKIP LOCKED", ""),
                Arguments.of("what was locked is marked later", "mark", "WHERE q.tag = ANY", "WHERE false AND q.tag = ANY"),
                Arguments.of("the clean-up spares what is owed", "forget-processed", "AND handover IS NULL AND invalidation_count <= handed_count", ""),
                Arguments.of("an open breaker lets nothing through", "claim", "SELECT open_until IS NULL FROM", "SELECT true FROM"),
                Arguments.of("an open breaker is probed by one", "claim", "THEN 1\n", "THEN 5\n"),
                Arguments.of("a claim keeps others away", "claim", "due_at = now\\(\\) \\+ make_interval\\(secs => :#leaseSeconds\\)", "due_at = d.due_at"),
                Arguments.of("the fold takes what it deletes", "fold", "FROM taken WHERE tag IS NOT NULL", "FROM taken WHERE tag = 'a'"));
    }

    @Timeout(120)
    @ParameterizedTest(name = "{0}")
    @MethodSource
    void guards(String fact, String statement, String guard, String without) throws Exception {
        String text = SqlFile.text(statement);
        String broken = text.replaceAll(guard, without);
        assertNotNull(broken.equals(text) ? null : broken, "the guard is still in the statement: " + guard);
        Guards guards = Guards.all().with(statement, broken);
        String seen = null;
        for (Script script : scripts()) {
            seen = seen == null ? scripted(script, guards) : seen;
        }
        for (int seed = 0; seed < SEEDS && seen == null; seed++) {
            seen = chaos(seed, guards);
            if (seen == null) {
                seen = calm(seed, guards);
            }
        }
        assertNotNull(seen, "no order shows what happens without the guard: " + fact);
    }

    @Test
    void only_one_has_the_turn_until_its_transaction_ends() throws Exception {
        try (Connection one = database.connect(); Connection other = database.connect()) {
            one.setAutoCommit(false);
            other.setAutoCommit(false);
            SqlFile takeTurn = SqlFile.of("take-turn");
            assertEquals(true, takeTurn.rows(one, Map.of()).get(0).get("mine"));
            assertEquals(false, takeTurn.rows(other, Map.of()).get(0).get("mine"));
            one.rollback();
            assertEquals(true, takeTurn.rows(other, Map.of()).get(0).get("mine"));
        }
    }

    @Timeout(60)
    @Test
    void what_chance_meets_rarely_holds_as_well() throws Exception {
        for (Script script : scripts()) {
            assertNull(scripted(script, Guards.all()));
        }
    }

    private interface Script {
        void play(Worker one, Worker other) throws SQLException;
    }

    /** Orders that random runs find too seldom. */
    private static List<Script> scripts() {
        return List.of(
                (one, other) -> {                                   // a change is handed over while a call for its tag is in flight
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.call(one);
                    world.change("a");
                    world.turns(other);
                    world.settleAll(one);
                    world.nothingIsLost();
                },
                (one, other) -> {                                   // two settle one tag for two targets, each before the other has committed
                    TestDatabase.run(world.eye, "INSERT INTO freshet.target (name) VALUES ('y')");
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.claim(other, "y");
                    world.call(one);
                    world.call(other);
                    world.settle(one);
                    world.settle(other);
                    world.goOn(one);
                    world.goOn(one);
                    world.goOn(other);
                    world.goOn(other);
                    world.goOn(one);
                    world.goOn(other);
                    world.markLater(one);
                    world.everythingIsProcessed();
                },
                (one, other) -> {                                   // a zombie reports a call that began before the change that another now holds
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.call(one);
                    world.leasesRunOut();
                    world.change("a");
                    world.turns(other);
                    world.claim(other, "x");
                    world.settleAll(one);
                    world.crash(other);
                    world.nothingIsLost();
                },
                (one, other) -> {                                   // the clean-up meets a row that a foreign upsert has woken
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.foreignChange("a");
                    world.cleanUp();
                    world.nothingIsLost();
                },
                (one, other) -> {                                   // a target in outage is left alone, and probed by one
                    world.mood.put("x", "failed");
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.change("b");
                    world.turns(one);
                    world.claim(other, "x");
                    world.timePasses();
                    world.change("b");
                    world.turns(one);
                    world.claim(other, "x");
                });
    }

    private String scripted(Script script, Guards guards) throws SQLException {
        world.reset(1, guards);
        try {
            script.play(world.workers[0], world.workers[1]);
            return null;
        } catch (Broken broken) {
            return broken.getMessage();
        }
    }

    /** @return what went wrong, or null */
    private String chaos(int seed, Guards guards) throws SQLException {
        world.reset(seed, guards);
        try {
            for (int step = 0; step < STEPS; step++) {
                world.anything();
                world.nothingIsLost();
            }
            world.healAndDrain();
            world.everythingArrived();
            return null;
        } catch (Broken broken) {
            return broken.getMessage();
        }
    }

    private String calm(int seed, Guards guards) throws SQLException {
        world.reset(seed, guards);
        try {
            for (int step = 0; step < 12; step++) {
                world.calmStep(false);
            }
            world.commitAll();
            for (int step = 0; step < 60; step++) {
                world.calmStep(true);
            }
            world.healAndDrain();
            world.everythingArrived();
            world.eachCalledOnce();
            return null;
        } catch (Broken broken) {
            return broken.getMessage();
        }
    }

    private static final class Broken extends RuntimeException {
        Broken(String message) {
            super(message);
        }
    }

    private record Guards(Map<String, SqlFile> files) {
        static Guards all() {
            return new Guards(Map.of()).with("take-turn", SqlFile.text("take-turn").replace("15ms", "4ms"));
        }

        Guards with(String name, String text) {
            Map<String, SqlFile> changed = new HashMap<>(files);
            changed.put(name, new SqlFile(name, text));
            return new Guards(changed);
        }

        SqlFile file(String name) {
            return files.computeIfAbsent(name, SqlFile::of);
        }
    }

    private record Claim(String target, String tag, String lease, int saw, String result) { }

    /** A writer whose transaction may stay open; a version of each tag appears when it commits. */
    private static final class Writer {
        final Connection connection;
        final List<String> uncommitted = new ArrayList<>();

        Writer(Connection connection) throws SQLException {
            this.connection = connection;
            connection.setAutoCommit(false);
        }
    }

    private static final class Worker {
        final Connection connection;
        final List<Claim> claims = new ArrayList<>();
        /** What the open transaction does next; null when none is open. */
        String open;
        List<Claim> settling = List.of();
        List<Map<String, Object>> held = List.of();
        Timestamp horizon;
        /** The fold of this turn has emptied what it saw, and it is still this worker that may hand over. */
        boolean folded;

        Worker(Connection connection) throws SQLException {
            this.connection = connection;
            TestDatabase.run(connection, "SET lock_timeout = '4ms'");
            connection.setAutoCommit(false);
        }
    }

    private static final class World {
        private final Connection eye;
        private final Worker[] workers;
        private final Writer[] writers;
        private final Writer foreign;
        private final Map<String, Integer> committed = new HashMap<>();
        private final Map<String, Integer> cached = new HashMap<>();
        private final Map<String, Integer> calls = new HashMap<>();
        private final Map<String, String> mood = new HashMap<>();
        private final Timestamp longAgo = Timestamp.valueOf("2026-01-01 00:00:00");
        private Random random;
        private boolean ripe;
        private boolean simple;
        private Guards guards;

        World(TestDatabase database) throws SQLException {
            eye = database.connect();
            TestDatabase.run(eye, "SET lock_timeout = '4ms'");
            workers = new Worker[] {new Worker(database.connect()), new Worker(database.connect())};
            writers = new Writer[] {new Writer(database.connect()), new Writer(database.connect())};
            foreign = new Writer(database.connect());
        }

        void close() throws SQLException {
            for (Worker worker : workers) {
                worker.connection.close();
            }
            for (Writer writer : writers) {
                writer.connection.close();
            }
            foreign.connection.close();
            eye.close();
        }

        void reset(int seed, Guards with) throws SQLException {
            random = new Random(seed);
            ripe = true;
            simple = seed % 2 == 1;
            guards = with;
            for (Worker worker : workers) {
                crash(worker);
            }
            for (Writer writer : writers) {
                rollback(writer);
            }
            rollback(foreign);
            TestDatabase.run(eye, """
                    ALTER TABLE public.invalidation_audit DISABLE TRIGGER freshet_keep_audit;
                    TRUNCATE freshet.inbox, public.cache_invalidation_queue, freshet.delivery, freshet.dead_letter,
                             freshet.mark_later, freshet.target, public.invalidation_audit;
                    INSERT INTO freshet.target (name) VALUES ('x')""" + (simple ? "" : ", ('y')"));
            committed.clear();
            cached.clear();
            calls.clear();
            mood.clear();
        }

        void change(String tag) throws SQLException {
            TestDatabase.run(eye, "INSERT INTO freshet.inbox (tag, changed_at) VALUES ('" + tag + "', '" + longAgo + "')");
            committed.merge(tag, 1, Integer::sum);
        }

        void foreignChange(String tag) throws SQLException {
            TestDatabase.run(eye, "UPDATE public.cache_invalidation_queue SET invalidation_count = invalidation_count + 1 WHERE tag = '" + tag + "'");
            committed.merge(tag, 1, Integer::sum);
        }

        void turns(Worker worker) throws SQLException {
            turn(worker);
            turn(worker);
        }

        void deliverAll(Worker worker) throws SQLException {
            claim(worker, "x");
            while (worker.claims.stream().anyMatch(claim -> claim.result() == null)) {
                call(worker);
            }
            settleAll(worker);
        }

        void settleAll(Worker worker) throws SQLException {
            settle(worker);
            while (worker.open != null) {
                goOn(worker);
            }
        }

        void anything() throws SQLException {
            switch (random.nextInt(20)) {
                case 0, 1 -> write(writers[random.nextInt(2)]);
                case 2, 3 -> commit(writers[random.nextInt(2)]);
                case 4 -> upsert();
                case 5 -> commit(foreign);
                case 6 -> rollback(random.nextBoolean() ? foreign : writers[random.nextInt(2)]);
                case 7 -> mood.put(target(), List.of("ok", "ok", "failed", "refused").get(random.nextInt(4)));
                case 8 -> leasesRunOut();
                case 9 -> timePasses();
                case 10 -> cleanUp();
                case 11 -> crash(workers[random.nextInt(2)]);
                default -> work(workers[random.nextInt(2)]);
            }
        }

        /** One bucket, ripe or not yet, and nothing that fails. */
        void calmStep(boolean ripe) throws SQLException {
            if (!ripe && random.nextInt(3) > 0) {
                Writer writer = writers[random.nextInt(2)];
                if (random.nextBoolean()) {
                    write(writer);
                } else {
                    commit(writer);
                }
                return;
            }
            this.ripe = ripe;
            work(workers[random.nextInt(2)]);
        }

        /** Every other run has one tag and one target that answers, so that it goes round more often. */
        private String tag() {
            return TAGS.get(simple ? 0 : random.nextInt(2));
        }

        private String target() {
            return TARGETS.get(simple ? 0 : random.nextInt(2));
        }

        private void write(Writer writer) throws SQLException {
            String tag = tag();
            // promise 4: whatever is open elsewhere, this neither waits nor fails
            TestDatabase.run(writer.connection, "SET LOCAL lock_timeout = '1ms'; INSERT INTO freshet.inbox (tag, changed_at) VALUES ('"
                    + tag + "', '" + longAgo + "')");
            writer.uncommitted.add(tag);
        }

        /** The trigger of the replaced system. */
        private void upsert() throws SQLException {
            String tag = tag();
            try {
                TestDatabase.run(foreign.connection, "SET LOCAL lock_timeout = '4ms'; INSERT INTO public.cache_invalidation_queue AS q"
                        + " (tag, time_bucket, invalidation_count) VALUES ('" + tag + "', '" + longAgo + "', 1) ON CONFLICT (tag, time_bucket)"
                        + " DO UPDATE SET invalidation_count = q.invalidation_count + 1");
                foreign.uncommitted.add(tag);
            } catch (SQLException wouldHaveWaited) {
                rollback(foreign);
            }
        }

        private void commit(Writer writer) throws SQLException {
            writer.connection.commit();
            writer.uncommitted.forEach(tag -> committed.merge(tag, 1, Integer::sum));
            writer.uncommitted.clear();
        }

        private void rollback(Writer writer) throws SQLException {
            writer.connection.rollback();
            writer.uncommitted.clear();
        }

        void commitAll() throws SQLException {
            for (Writer writer : writers) {
                commit(writer);
            }
            commit(foreign);
        }

        private void leasesRunOut() throws SQLException {
            unlessLocked("UPDATE freshet.delivery SET due_at = now() WHERE lease_id IS NOT NULL");
        }

        private void timePasses() throws SQLException {
            unlessLocked("UPDATE freshet.delivery SET due_at = now() WHERE lease_id IS NULL");
            unlessLocked("UPDATE freshet.target SET open_until = now() - interval '1 second' WHERE open_until IS NOT NULL");
        }

        private void unlessLocked(String sql) throws SQLException {
            try {
                TestDatabase.run(eye, sql);
            } catch (SQLException e) {
                if (!"55P03".equals(e.getSQLState())) {
                    throw e;
                }
            }
        }

        private void cleanUp() throws SQLException {
            eye.setAutoCommit(false);
            guards.file("forget-processed").update(eye, Map.of("retentionSeconds", -1.0, "limit", 100));
            eye.commit();
            eye.setAutoCommit(true);
        }

        /** The process dies: its transaction is undone, what it had in memory is gone, its leases stay. */
        private void crash(Worker worker) throws SQLException {
            worker.connection.rollback();
            worker.open = null;
            worker.folded = false;
            worker.claims.clear();
            worker.settling = List.of();
        }

        private void work(Worker worker) throws SQLException {
            try {
                if (worker.open != null) {
                    boolean withoutPause = random.nextBoolean();
                    do {
                        goOn(worker);
                    } while (withoutPause && worker.open != null);
                } else if (worker.claims.isEmpty()) {
                    switch (random.nextInt(4)) {
                        case 0, 1 -> startTurn(worker, ripe);
                        default -> claim(worker, target());
                    }
                } else if (worker.claims.stream().anyMatch(claim -> claim.result() == null)) {
                    call(worker);
                } else {
                    settle(worker);
                }
            } catch (SQLException e) {
                if (!"55P03".equals(e.getSQLState()) && !"40P01".equals(e.getSQLState())) {
                    throw e;
                }
                worker.connection.rollback();       // it gives way and tries again later; what it knows of calls it keeps
                worker.open = null;
                worker.folded = false;
            }
        }

        private void startTurn(Worker worker, boolean ripe) throws SQLException {
            boolean mine = (Boolean) guards.file("take-turn").rows(worker.connection, Map.of()).get(0).get("mine");
            if (!mine) {
                worker.connection.rollback();
                worker.folded = false;
            } else if (worker.folded) {
                guards.file("hand-over").rows(worker.connection, Map.of("horizon", worker.horizon, "debounceSeconds", 0.0, "limit", 10));
                worker.open = "commit";
                worker.folded = false;
            } else {
                Map<String, Object> which = new HashMap<>(Map.of("bucketSeconds", 5.0, "floor", 0L, "blocked", List.of(), "limit", 10));
                which.put("only", null);
                Map<String, Object> row = guards.file("fold").rows(worker.connection, which).get(0);
                worker.horizon = (Timestamp) row.get("horizon");
                worker.open = ripe && (Integer) row.get("taken") < 10 ? "commit the fold" : "commit";
            }
        }

        private void goOn(Worker worker) throws SQLException {
            switch (worker.open) {
                case "lock" -> {
                    worker.held = guards.file("lock-handed").rows(worker.connection, Map.of("tags", tagsOf(worker.settling)));
                    worker.open = "mark";
                }
                case "mark" -> {
                    guards.file("mark").update(worker.connection, Map.of("tags", tagsOf(worker.settling),
                            "heldTags", worker.held.stream().map(row -> row.get("tag")).toList(),
                            "heldBuckets", worker.held.stream().map(row -> row.get("time_bucket")).toList()));
                    worker.open = "commit the settlement";
                }
                default -> {
                    worker.connection.commit();
                    worker.folded = worker.open.equals("commit the fold");
                    if (worker.open.equals("commit the settlement")) {
                        worker.claims.removeAll(worker.settling);
                    }
                    worker.open = null;
                }
            }
        }

        private void claim(Worker worker, String target) throws SQLException {
            String breaker = TestDatabase.list(eye, "SELECT CASE WHEN open_until > now() THEN 'open' WHEN open_until IS NOT NULL THEN 'probe' END"
                    + " FROM freshet.target WHERE name = ?", target).get(0);
            List<Map<String, Object>> rows = guards.file("claim").rows(worker.connection, Map.of("target", target, "limit", 5,
                    "lease", UUID.randomUUID().toString(), "leaseSeconds", 60.0, "probeSeconds", 60.0, "probeMaxSeconds", 60.0));
            worker.connection.commit();
            if ("open".equals(breaker) && !rows.isEmpty() || "probe".equals(breaker) && rows.size() > 1) {
                throw new Broken(rows.size() + " claimed through a breaker that is " + breaker);
            }
            rows.forEach(row -> worker.claims.add(new Claim(target, (String) row.get("tag"), row.get("lease_id").toString(), 0, null)));
        }

        /** The call begins now: it shows the target what is committed now. */
        private void call(Worker worker) {
            for (int i = 0; i < worker.claims.size(); i++) {
                Claim claim = worker.claims.get(i);
                if (claim.result() == null) {
                    String place = claim.target() + claim.tag();
                    String result = mood.getOrDefault(claim.target(), "ok");
                    int saw = committed.getOrDefault(claim.tag(), 0);
                    calls.merge(place, 1, Integer::sum);
                    if (result.equals("ok")) {
                        cached.merge(place, saw, Math::max);
                    }
                    worker.claims.set(i, new Claim(claim.target(), claim.tag(), claim.lease(), saw, result.equals("ok") ? "delivered" : result));
                    return;
                }
            }
        }

        private void settle(Worker worker) throws SQLException {
            worker.settling = List.copyOf(worker.claims);
            StringBuilder json = new StringBuilder("[");
            for (Claim claim : worker.settling) {
                json.append(json.length() > 1 ? "," : "").append("{\"tag\":\"").append(claim.tag()).append("\",\"target\":\"").append(claim.target())
                        .append("\",\"lease\":\"").append(claim.lease()).append("\",\"result\":\"").append(claim.result()).append("\",\"company\":1}");
            }
            guards.file("settle").rows(worker.connection, Map.of("outcomes", json.append("]").toString(), "retryForSeconds", 3600.0,
                    "backoffSeconds", 30.0, "backoffMaxSeconds", 60.0, "breakerTags", simple ? 1 : 2, "probeSeconds", 60.0));
            worker.open = "lock";
        }

        private static List<String> tagsOf(List<Claim> claims) {
            return List.copyOf(new TreeSet<>(claims.stream().map(Claim::tag).toList()));
        }

        /** Promises 1 and 2, at every moment: what is committed and not yet seen by a target is owed somewhere. */
        void nothingIsLost() throws SQLException {
            List<String> owed = TestDatabase.list(eye, """
                    SELECT target || tag FROM (
                        SELECT tag FROM freshet.inbox
                        UNION SELECT tag FROM public.cache_invalidation_queue
                            WHERE last_invalidated_at IS NULL AND handover IS NULL OR invalidation_count > handed_count) before_targets,
                        unnest(ARRAY['x', 'y']) target
                    UNION SELECT target || tag FROM freshet.delivery
                    UNION SELECT target || tag FROM freshet.dead_letter""");
            for (String tag : TAGS) {
                for (String target : simple ? TARGETS.subList(0, 1) : TARGETS) {
                    int seen = cached.getOrDefault(target + tag, 0);
                    if (committed.getOrDefault(tag, 0) > seen && !owed.contains(target + tag)) {
                        throw new Broken("lost: " + tag + " at " + target + " saw " + seen + " of " + committed.get(tag));
                    }
                }
            }
            processedMeansSettledAndAudited();
        }

        private void processedMeansSettledAndAudited() throws SQLException {
            List<String> wrong = TestDatabase.list(eye, """
                    SELECT 'before ' || d.target || ' had an outcome: ' || q.tag
                    FROM public.cache_invalidation_queue q JOIN freshet.delivery d USING (tag)
                    WHERE last_invalidated_at IS NOT NULL AND invalidation_count = handed_count
                      AND d.attempts = 0 AND d.settled_handover = 0
                      AND NOT EXISTS (SELECT FROM freshet.dead_letter l WHERE l.tag = d.tag AND l.target = d.target)
                      AND NOT EXISTS (SELECT FROM public.cache_invalidation_queue o WHERE o.tag = d.tag AND o.handover IS NOT NULL)
                    UNION ALL
                    SELECT 'without an audit row: ' || tag FROM public.cache_invalidation_queue WHERE last_invalidated_at IS NOT NULL
                      AND NOT EXISTS (SELECT FROM public.invalidation_audit WHERE keys @> to_jsonb(tag))""");
            if (!wrong.isEmpty()) {
                throw new Broken("processed " + wrong);
            }
        }

        void healAndDrain() throws SQLException {
            commitAll();
            mood.clear();
            for (int round = 0; round < 60; round++) {
                for (Worker worker : workers) {
                    for (int i = 0; i < 12; i++) {
                        if (worker.open != null || !worker.claims.isEmpty()) {
                            work(worker);
                        }
                    }
                }
                if (drained()) {
                    return;
                }
                leasesRunOut();
                timePasses();
                TestDatabase.run(eye, """
                        INSERT INTO freshet.delivery AS d (tag, target, handover, changed_at)
                        SELECT tag, target, nextval('freshet.handover_number'), now() FROM freshet.dead_letter
                        ON CONFLICT (tag, target) DO NOTHING""");
                Worker worker = workers[round % 2];
                worker.folded = false;
                turn(worker);
                turn(worker);
                markLater(worker);
                claim(worker, TARGETS.get(simple ? 0 : round / 2 % 2));
            }
            throw new Broken("it never comes to rest: " + TestDatabase.list(eye, """
                    SELECT 'inbox ' || i FROM freshet.inbox i UNION ALL SELECT 'queue ' || q FROM public.cache_invalidation_queue q
                    UNION ALL SELECT 'delivery ' || d FROM freshet.delivery d UNION ALL SELECT 'dead ' || l FROM freshet.dead_letter l"""));
        }

        private void turn(Worker worker) throws SQLException {
            startTurn(worker, true);
            while (worker.open != null) {
                goOn(worker);
            }
        }

        private void markLater(Worker worker) throws SQLException {
            List<String> tags = guards.file("take-mark-later").rows(worker.connection, Map.of("limit", 100)).stream().map(row -> (String) row.get("tag")).toList();
            worker.settling = tags.stream().map(tag -> new Claim("x", tag, "", 0, "delivered")).toList();
            worker.open = "lock";
            while (worker.open != null) {
                goOn(worker);
            }
        }

        private boolean drained() throws SQLException {
            return TestDatabase.list(eye, """
                    SELECT 1 FROM freshet.inbox UNION ALL SELECT 1 FROM freshet.delivery UNION ALL SELECT 1 FROM freshet.dead_letter
                    UNION ALL SELECT 1 FROM public.cache_invalidation_queue WHERE last_invalidated_at IS NULL OR invalidation_count > handed_count
                    LIMIT 1""").isEmpty();
        }

        void everythingArrived() throws SQLException {
            nothingIsLost();
            for (String tag : TAGS) {
                for (String target : simple ? TARGETS.subList(0, 1) : TARGETS) {
                    if (!committed.getOrDefault(tag, 0).equals(cached.getOrDefault(target + tag, 0))) {
                        throw new Broken("at the end " + target + " saw " + cached.get(target + tag) + " of " + committed.get(tag) + " of " + tag);
                    }
                }
            }
        }

        void everythingIsProcessed() throws SQLException {
            if (!TestDatabase.list(eye, "SELECT 1 FROM public.cache_invalidation_queue WHERE last_invalidated_at IS NULL").isEmpty()) {
                throw new Broken("delivered everywhere, and never marked as processed");
            }
        }

        void eachCalledOnce() {
            for (String tag : TAGS) {
                for (String target : simple ? TARGETS.subList(0, 1) : TARGETS) {
                    int want = committed.getOrDefault(tag, 0) > 0 ? 1 : 0;
                    if (calls.getOrDefault(target + tag, 0) != want) {
                        throw new Broken(calls.get(target + tag) + " calls for " + tag + " at " + target + ", want " + want);
                    }
                }
            }
        }
    }
}
