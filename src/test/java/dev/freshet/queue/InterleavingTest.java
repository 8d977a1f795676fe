package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.freshet.database.SqlFile;
import dev.freshet.deliver.fence.FencesAsked;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs the algorithm of docs/guarantees.md, statement by statement, in many orders: two workers, writers that use
 * Freshet's own way in, and a foreign writer with the replaced system's upsert; transactions that stay open across
 * other steps, crashes before and after each commit, leases that expire under a living worker, targets that fail and
 * refuse, breakers, clean-up. After every step it checks that each committed change that a target has not seen is still
 * owed somewhere; at the end everything must have arrived. Then each guard is removed from its statement in turn, and
 * some order must show the damage.
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
        // Each TRUNCATE below leaves dead rows in the catalogs. An autovacuum that gives back the end of a catalog
        // locks that catalog. A writer whose copy of it is out of date waits for this, whatever Freshet does.
        database.runAsSuperuser("""
                SET allow_system_table_mods = on;
                DO $$ BEGIN
                    EXECUTE (SELECT string_agg(format('ALTER TABLE %s SET (vacuum_truncate = off)', oid::regclass), ';')
                             FROM pg_class
                             WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND NOT relisshared);
                END $$""");
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

    @Timeout(120)
    @Test
    void in_every_order_a_target_that_goes_after_another_shows_what_that_one_shows() throws Exception {
        for (int seed = 0; seed < SEEDS; seed++) {
            world.reset(seed, Guards.all());
            world.declareThatYGoesAfterX();
            assertNull(chaos(seed), "seed " + seed);
        }
    }

    static Stream<Arguments> guards() {
        return Stream.of(
                Arguments.of(
                        "settle keeps what is newer than the call",
                        "deliver/settle",
                        "d.handover > d.claimed_handover AS newer",
                        "false AS newer"),
                Arguments.of(
                        "settle asks for the call's own lease",
                        "deliver/settle",
                        "THEN lease_id = o.lease",
                        "THEN true"),
                Arguments.of(
                        "a success clears the dead letter",
                        "deliver/settle",
                        "held WHERE fate = 'delivered'",
                        "held WHERE false"),
                Arguments.of(
                        "hand-over sees rows that have grown",
                        "queue/hand-over",
                        "invalidation_count > handed_count",
                        "false"),
                Arguments.of(
                        "hand-over moves what is owed on",
                        "queue/hand-over",
                        "handover = greatest\\(d.handover \\+ 1, excluded.handover\\),",
                        ""),
                Arguments.of(
                        "hand-over follows a row that a foreign upsert has moved",
                        "queue/hand-over",
                        "\\(\\(q.tag, q.time_bucket\\) IN \\(SELECT \\* FROM unnest\\("
                                + "\\(SELECT tags FROM each_row\\),\\s+"
                                + "\\(SELECT buckets FROM each_row\\)\\)\\)\\) IS TRUE",
                        "q.ctid IN (SELECT o.ctid FROM public.cache_invalidation_queue o JOIN taken"
                                + " USING (tag, time_bucket))"),
                Arguments.of(
                        "a replay is numbered under its row's lock",
                        "deliver/replay",
                        "greatest\\(d.handover \\+ 1, nextval\\('freshet.handover_number'\\)\\)",
                        "excluded.handover"),
                Arguments.of(
                        "a replay owes to targets that there are",
                        "deliver/replay",
                        "l.target IN \\(SELECT name FROM known\\)",
                        "true"),
                Arguments.of(
                        "no target is forgotten while something is owed to it anew",
                        "deliver/replay",
                        "FOR KEY SHARE",
                        ""),
                Arguments.of(
                        "what a deleted target was owed becomes a dead letter",
                        "deliver/forget-target",
                        "FROM taken ORDER BY tag\n",
                        "FROM taken WHERE false ORDER BY tag\n"),
                Arguments.of(
                        "what a job could not refresh is numbered under its row's lock",
                        "stats/finish-job",
                        "greatest\\(d.handover \\+ 1, nextval\\('freshet.handover_number'\\)\\)",
                        "excluded.handover"),
                Arguments.of(
                        "what a job left behind is numbered under its row's lock",
                        "deliver/owe-refresh",
                        "greatest\\(d.handover \\+ 1, nextval\\('freshet.handover_number'\\)\\)",
                        "excluded.handover"),
                Arguments.of(
                        "a job clears no dead letter that is newer than its call",
                        "stats/finish-job",
                        "AND l.last_failed_at < :#askedAt::timestamptz",
                        ""),
                Arguments.of(
                        "a tag that is broken does not open the breaker",
                        "deliver/settle",
                        "o.status IN \\(408, 425, 429, 502, 503, 504\\)",
                        "true"),
                Arguments.of(
                        "a probe tries what has failed least",
                        "deliver/claim",
                        "CASE WHEN room.probing THEN kind.rank END",
                        "-kind.rank"),
                Arguments.of(
                        "retries leave room for what has not been tried",
                        "deliver/claim",
                        "least\\(step.tags, step.retries\\)",
                        "step.tags"),
                Arguments.of(
                        "who goes after another target waits for it",
                        "deliver/claim",
                        "done_handover < least\\(handover, freshet.done_ahead\\(tag, \\(TABLE ahead\\)\\)\\)",
                        "true"),
                Arguments.of(
                        "and covers no more than that one has",
                        "deliver/claim",
                        "least\\(d.handover, freshet.done_ahead\\(d.tag, \\(TABLE ahead\\)\\)\\)",
                        "d.handover"),
                Arguments.of(
                        "who did not wait is owed the tag again",
                        "deliver/owe-after",
                        "WHERE ahead NOT IN \\(TABLE circle\\)",
                        "WHERE false"),
                Arguments.of(
                        "a call counts once for the breaker, however many tags it carried",
                        "deliver/settle",
                        "GROUP BY target, call\\) calls",
                        "GROUP BY target, call, tag) calls"),
                Arguments.of(
                        "a target that nobody serves keeps no row from being processed",
                        "queue/hand-over",
                        "AND served_at > now\\(\\) - interval '1 minute'",
                        ""),
                Arguments.of(
                        "nothing is given up that was not seen to fail",
                        "deliver/give-up",
                        "AND t.failed_at > now\\(\\) - make_interval\\(secs => :#upSeconds\\)",
                        ""),
                Arguments.of(
                        "what is given up becomes a dead letter",
                        "deliver/give-up",
                        "FROM expired ORDER BY tag, target",
                        "FROM expired WHERE false"),
                Arguments.of("what is given back is due at once", "deliver/hand-back", ", due_at = now\\(\\)", ""),
                Arguments.of(
                        "what is given back was still held", "deliver/hand-back", "AND d.lease_id = held.lease", ""),
                Arguments.of(
                        "processed needs an outcome at every target",
                        "deliver/settle",
                        "least\\(settled.upto, settled.elsewhere\\)",
                        "settled.upto"),
                Arguments.of(
                        "a row that was handed over anew is not marked",
                        "deliver/settle",
                        "handover <= (least.settled.upto, settled.elsewhere.|h.upto)",
                        "true"),
                Arguments.of(
                        "a row that has grown is not marked",
                        "deliver/settle",
                        "invalidation_count = handed_count",
                        "true"),
                Arguments.of(
                        "of two who settle one tag for two targets one looks again",
                        "deliver/settle",
                        "WHERE elsewhere < upto",
                        "WHERE false"),
                Arguments.of(
                        "nobody settles behind somebody else's lock",
                        "deliver/settle",
                        "FOR UPDATE SKIP LOCKED OFFSET 0",
                        "OFFSET 0"),
                Arguments.of(
                        "what is locked is marked later",
                        "deliver/settle",
                        "FROM locked WHERE NOT is_free",
                        "FROM locked WHERE false"),
                Arguments.of(
                        "a hand-over claims what it has added only",
                        "queue/hand-over",
                        "d.lease_id IN \\(SELECT lease FROM claims\\) AS is_claimed",
                        "true AS is_claimed"),
                Arguments.of(
                        "a hand-over claims no more than there is room for",
                        "queue/hand-over",
                        "END\n                THEN lease",
                        "END + 9\n                THEN lease"),
                Arguments.of(
                        "a hand-over claims nothing through an open breaker",
                        "queue/hand-over",
                        "CASE WHEN can_be_called AND row_number",
                        "CASE WHEN row_number"),
                Arguments.of(
                        "after the lock, processed needs an outcome at every target",
                        "queue/mark",
                        "AND NOT EXISTS \\(SELECT FROM freshet.delivery[^)]*\\)",
                        ""),
                Arguments.of(
                        "who settles one tag for two targets meets at its row",
                        "queue/lock-handed",
                        "FOR UPDATE SKIP LOCKED",
                        ""),
                Arguments.of(
                        "what was locked is marked later",
                        "queue/mark",
                        "WHERE q.tag = ANY",
                        "WHERE false AND q.tag = ANY"),
                Arguments.of(
                        "the clean-up spares what is owed",
                        "queue/forget-processed",
                        "AND handover IS NULL\\s+AND invalidation_count <= handed_count",
                        ""),
                Arguments.of(
                        "an open breaker lets nothing through",
                        "deliver/claim",
                        "SELECT open_until IS NULL FROM",
                        "SELECT true FROM"),
                Arguments.of(
                        "an open breaker is probed by one",
                        "deliver/claim",
                        "WHEN probing THEN 1 WHEN closed THEN greatest",
                        "WHEN probing THEN 5 WHEN closed THEN greatest"),
                Arguments.of(
                        "a claim keeps others away",
                        "deliver/claim",
                        "due_at = now\\(\\) \\+ make_interval\\(secs => :#leaseSeconds\\)",
                        "due_at = d.due_at"),
                Arguments.of(
                        "what a window has handed over waits for its end",
                        "queue/fold-by-policy",
                        "q.handed_count THEN excluded.ripe_at",
                        "q.handed_count THEN q.ripe_at"),
                Arguments.of(
                        "no row goes before its moment",
                        "queue/hand-over",
                        "coalesce\\(ripe_at, time_bucket",
                        "coalesce(NULL, time_bucket"),
                Arguments.of(
                        "rows with a moment of their own are handed over",
                        "queue/hand-over",
                        "AND ripe_at IS NOT NULL AND priority = p.priority",
                        "AND false"),
                Arguments.of(
                        "where there are policies the fold asks them",
                        "queue/fold",
                        "AND NOT EXISTS \\(SELECT FROM freshet.policy\\)",
                        ""),
                Arguments.of(
                        "the clean-up spares a window that is not over",
                        "queue/forget-processed",
                        "AND \\(quiet_at IS NULL OR quiet_at < now\\(\\)\\)",
                        ""),
                Arguments.of(
                        "a fence waits for what is in the inbox",
                        "deliver/fences-now",
                        "OR EXISTS \\(SELECT FROM freshet.fence_inbox[^)]*\\)",
                        ""),
                Arguments.of(
                        "a fence waits for what is in the queue",
                        "deliver/fences-now",
                        "OR EXISTS \\(SELECT FROM freshet.fence_queue[^)]*\\)",
                        ""),
                Arguments.of(
                        "what is stored as a retry is not out",
                        "deliver/fences-now",
                        "done_handover <",
                        "settled_handover <"),
                Arguments.of(
                        "an outcome is one of what its call covered",
                        "deliver/settle",
                        "THEN claimed_handover ELSE done_handover",
                        "THEN handover ELSE done_handover"),
                Arguments.of("what is handed over is not done", "queue/hand-over", "number - 1,", "number,"),
                Arguments.of(
                        "a fence knows what is owed of its change",
                        "queue/note-handed",
                        "SELECT DISTINCT fence, tag FROM handed",
                        "SELECT DISTINCT fence, tag FROM handed WHERE false"),
                Arguments.of(
                        "a fence follows its change out of the inbox",
                        "queue/fold",
                        "EXISTS \\(SELECT FROM freshet.fence_inbox\\)",
                        "false"),
                Arguments.of(
                        "a fence follows its change out of the queue",
                        "queue/hand-over",
                        "freshet.fences_wait\\(\\)",
                        "false"),
                Arguments.of(
                        "the fold takes what it deletes",
                        "queue/fold",
                        "FROM taken WHERE tag IS NOT NULL",
                        "FROM taken WHERE tag = 'a'"));
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
    void only_one_worker_has_the_turn_until_its_transaction_ends() throws Exception {
        try (Connection one = database.connect();
                Connection other = database.connect()) {
            one.setAutoCommit(false);
            other.setAutoCommit(false);
            SqlFile takeTurn = SqlFile.of("queue/take-turn");
            assertEquals(true, takeTurn.rows(one, Map.of()).get(0).get("mine"));
            assertEquals(false, takeTurn.rows(other, Map.of()).get(0).get("mine"));
            one.rollback();
            assertEquals(true, takeTurn.rows(other, Map.of()).get(0).get("mine"));
        }
    }

    @Timeout(60)
    @Test
    void nothing_is_lost_in_orders_that_random_runs_rarely_meet() throws Exception {
        for (Script script : scripts()) {
            assertNull(scripted(script, Guards.all()));
        }
    }

    private interface Script {
        void play(Worker one, Worker other) throws SQLException;
    }

    private interface Step {
        void take() throws SQLException;
    }

    /** Orders that random runs meet too rarely. */
    private static List<Script> scripts() {
        return List.of(
                (one, other) -> { // a change is handed over while a call for its tag is in flight
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.call(one);
                    world.change("a");
                    world.turns(other);
                    world.settleAll(one);
                    world.nothingIsLost();
                    world.nothingIsProcessed();
                },
                (one, other) -> { // the tag's row grows through a foreign upsert while a call is in flight
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.call(one);
                    world.foreignChange("a");
                    world.settleAll(one);
                    world.nothingIsProcessed();
                },
                (one, other) -> { // somebody holds the row of a tag that is being settled
                    world.change("a");
                    world.turns(one);
                    world.holdQueueRows();
                    world.neverWaits(() -> world.deliverAll(one));
                    world.letGo();
                    world.neverWaits(() -> world.markLater(one));
                    world.everythingIsProcessed();
                },
                (one, other) -> { // a hand-over finds a tag that waits for its next attempt
                    world.brokenTag = "a";
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.change("a");
                    world.claimsAtOnce = 1;
                    world.turns(one);
                    world.holdsNothing(one);
                },
                (one, other) -> { // a hand-over finds a target in outage
                    world.mood.put("x", "failed");
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.change("b");
                    world.claimsAtOnce = 1;
                    world.turns(one);
                },
                (one, other) -> { // one of two targets has been called
                    TestDatabase.run(world.eye, "INSERT INTO freshet.target (name) VALUES ('y')");
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.call(one);
                    world.settleAll(one);
                    world.nothingIsProcessed();
                },
                (one, other) -> { // the same while somebody holds the row
                    TestDatabase.run(world.eye, "INSERT INTO freshet.target (name) VALUES ('y')");
                    world.change("a");
                    world.turns(one);
                    world.holdQueueRows();
                    world.claim(one, "x");
                    world.call(one);
                    world.settleAll(one);
                    world.letGo();
                    world.markLater(one);
                    world.nothingIsProcessed();
                },
                (one, other) -> { // two workers settle one tag for two targets, each before the other has committed
                    TestDatabase.run(world.eye, "INSERT INTO freshet.target (name) VALUES ('y')");
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.claim(other, "y");
                    world.call(one);
                    world.call(other);
                    world.settle(one);
                    world.settle(other);
                    world.proceed(one);
                    world.proceed(one);
                    world.proceed(other);
                    world.proceed(other);
                    world.proceed(one);
                    world.proceed(other);
                    world.markLater(one);
                    world.everythingIsProcessed();
                },
                (one, other) -> { // a zombie reports a call that began before the change that another worker now holds
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.call(one);
                    world.expireLeases();
                    world.change("a");
                    world.turns(other);
                    world.claim(other, "x");
                    world.settleAll(one);
                    world.crash(other);
                    world.nothingIsLost();
                },
                (one, other) -> { // the clean-up meets a row that a foreign upsert has made pending again
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.foreignChange("a");
                    world.cleanUp();
                    world.nothingIsLost();
                },
                (one, other) -> { // a target in outage is left alone, except for one probe
                    world.mood.put("x", "failed");
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.change("b");
                    world.turns(one);
                    world.claim(other, "x");
                    world.endPauses();
                    world.change("b");
                    world.turns(one);
                    world.claim(other, "x");
                },
                (one, other) -> { // a replay overlaps with two changes of one of its tags
                    world.deadLettersOf(one, "a", "b");
                    world.overtaken(one, other, world::replay);
                },
                (one, other) -> { // so does the end of a job whose tags the target did not take
                    world.beginJob("a", "b");
                    world.overtaken(one, other, () -> world.finishJob(false));
                },
                (one, other) -> { // and so do the tags that a job's functions left behind
                    world.beginJob("a", "b");
                    world.failJob();
                    world.overtaken(one, other, world::oweRefresh);
                },
                (one, other) -> { // a job's call began before the change that has been refused since
                    world.beginJob("a");
                    world.deadLettersOf(one, "a");
                    world.finishJob(true);
                    world.nothingIsLost();
                },
                (one, other) -> { // a replay of dead letters whose target is gone, or is forgotten meanwhile
                    TestDatabase.run(
                            world.eye,
                            "INSERT INTO freshet.dead_letter (target, tag, attempts, first_failed_at, last_failed_at)"
                                    + " VALUES ('gone', 'b', 1, now(), now())");
                    world.replay();
                    world.nothingIsOwedToUnknownTargets();
                },
                (one, other) -> {
                    TestDatabase.run(
                            world.eye,
                            "INSERT INTO freshet.target (name) VALUES ('y'); INSERT INTO freshet.dead_letter"
                                    + " (target, tag, attempts, first_failed_at, last_failed_at)"
                                    + " VALUES ('x', 'a', 1, now(), now()), ('y', 'b', 1, now(), now())");
                    world.holdUncommitted("a");
                    world.replay();
                    world.forget("y");
                    world.letGo();
                    world.nothingIsOwedToUnknownTargets();
                },
                (one, other) -> { // a window whose first call has been made and forgotten
                    world.policy("'*', debounce => '1 day', at_once => true");
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.cleanUp();
                    world.change("a");
                    world.turns(one);
                    world.claims(one, "");
                    world.endWindows();
                    world.turns(one);
                    world.claims(one, "a");
                },
                (one, other) -> { // a change during the first call of its window
                    world.policy("'*', debounce => '1 day', at_once => true");
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.call(one);
                    world.change("a");
                    world.turns(other);
                    world.settleAll(one);
                    world.nothingIsLost();
                    world.claims(one, "");
                    world.endWindows();
                    world.turns(other);
                    world.claims(one, "a");
                },
                (one, other) -> { // what a target was owed when its file was deleted
                    world.change("a");
                    world.turns(one);
                    world.forget("x");
                    world.nothingIsLost();
                },
                (one, other) -> { // a foreign upsert commits between a hand-over's snapshot and its lock
                    world.change("a");
                    world.turn(one);
                    world.handOverThatPauses();
                    world.foreignChange("a");
                    world.letGo();
                    world.deliverAll(other);
                    world.turns(other);
                    world.deliverAll(other);
                    world.calledOnce("xa");
                },
                (one, other) -> { // a broken tag does not keep the breaker open for the others
                    world.brokenTag = "a";
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.change("b");
                    world.turns(one);
                    world.claims(one, "b");
                },
                (one, other) -> { // a probe is not wasted on a tag that is known to fail
                    world.mood.put("x", "failed");
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.change("b");
                    world.turns(one);
                    world.endPauses();
                    world.claims(one, "b");
                },
                (one, other) -> { // a target that goes after another one comes first
                    world.declareThatYGoesAfterX();
                    world.change("a");
                    world.turns(one);
                    world.claims(one, "y", "");
                },
                (one, other) -> { // or comes before the other one has the second of two changes
                    world.declareThatYGoesAfterX();
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.call(one);
                    world.change("a");
                    world.turns(other);
                    world.settleAll(one);
                    world.deliverAll(other, "y");
                    world.nothingIsLost();
                },
                (one, other) -> { // what one target has given up has already been called for at the other
                    world.declareThatYGoesAfterX();
                    world.mood.put("x", "refused");
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.deliverAll(one, "y");
                    world.mood.clear();
                    world.replay();
                    world.deliverAll(one);
                    world.nothingIsLost();
                },
                (one, other) -> { // many failing tags leave room for others
                    world.brokenTag = "a";
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.endPauses();
                    world.retries = 0;
                    world.claims(one, "");
                },
                (one, other) -> { // a batch that found no host is one call
                    world.mood.put("x", "failed");
                    world.breakerTags = 2;
                    world.oneCall = true;
                    world.change("a");
                    world.change("b");
                    world.turns(one);
                    world.deliverAll(one);
                    world.breakerIsClosed();
                },
                (one, other) -> { // a target that nobody serves
                    TestDatabase.run(world.eye, "UPDATE freshet.target SET served_at = now() - interval '2 minutes'");
                    world.change("a");
                    world.turns(one);
                    world.everythingIsProcessed();
                },
                (one, other) -> { // Freshet was away for long, and its target was in outage before that
                    world.mood.put("x", "failed");
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.upSeconds = 0;
                    world.giveUp();
                    world.noDeadLetters();
                },
                (one, other) -> { // what a target in outage has been owed for too long
                    world.mood.put("x", "failed");
                    world.change("a");
                    world.turns(one);
                    world.deliverAll(one);
                    world.giveUp();
                    world.nothingIsLost();
                },
                (one, other) -> { // an instance that stops hands back what it holds, and no more than that
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.handBack(one);
                    world.claims(other, "a");
                },
                (one, other) -> {
                    world.change("a");
                    world.turns(one);
                    world.claim(one, "x");
                    world.expireLeases();
                    world.claim(other, "x");
                    world.handBack(one);
                    world.claims(one, "");
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
        return chaos(seed);
    }

    private String chaos(int seed) throws SQLException {
        world.choosePolicies(seed);
        world.claimsAtOnce = seed % 3;
        try {
            for (int step = 0; step < STEPS; step++) {
                world.anything();
                world.background.untilItWaitsOrEnds();
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
        world.choosePolicies(seed);
        world.claimsAtOnce = seed % 3;
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

    private record Guards(Map<String, String> texts, Map<String, SqlFile> files) {
        static Guards all() {
            return new Guards(Map.of(), Map.of())
                    .with("queue/take-turn", SqlFile.text("queue/take-turn").replace("15ms", "4ms"));
        }

        Guards with(String name, String text) {
            Map<String, String> changed = new HashMap<>(texts);
            changed.put(name, text);
            return new Guards(changed, new HashMap<>());
        }

        String text(String name) {
            return texts.containsKey(name) ? texts.get(name) : SqlFile.text(name);
        }

        SqlFile file(String name) {
            return files.computeIfAbsent(name, n -> new SqlFile(n, text(n)));
        }
    }

    private record Claim(String target, String tag, String lease, int saw, String result, boolean retry) {
        /** It has failed before, or was given up and replayed, and the target now has it. */
        boolean isLate() {
            return retry && "delivered".equals(result);
        }
    }

    /** A writer whose transaction may stay open. A version of each tag appears when it commits. */
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
        /** What the open transaction does next; null if none is open. */
        String open;

        List<Claim> settling = List.of();
        /** Claimed by the hand-over that is about to commit. */
        List<Claim> handing = List.of();
        /** Tags of this settlement that another target is owed as well. */
        List<String> lookAgain = List.of();

        List<Map<String, Object>> held = List.of();
        Timestamp horizon;
        /**
         * The fold of this turn has taken everything it saw, and this worker still has the turn, so it may hand over.
         */
        boolean folded;

        Worker(Connection connection) throws SQLException {
            this.connection = connection;
            TestDatabase.run(connection, "SET lock_timeout = '4ms'");
            connection.setAutoCommit(false);
        }
    }

    /**
     * Runs one statement at a time that may have to wait in its middle for locks of others, so that it overlaps with
     * other work as a long statement does.
     */
    private static final class Background {
        private final Connection connection;
        private final Connection eye;
        private final String pid;
        private final ExecutorService thread = Executors.newSingleThreadExecutor();
        private Future<?> running = CompletableFuture.completedFuture(null);

        Background(Connection connection, Connection eye) throws SQLException {
            this.connection = connection;
            this.eye = eye;
            this.pid = TestDatabase.list(connection, "SELECT pg_backend_pid()").get(0);
        }

        boolean isBusy() {
            return !running.isDone();
        }

        void run(SqlFile statement, Map<String, ?> values) throws SQLException {
            if (!isBusy()) {
                running = thread.submit(() -> statement.rows(connection, values));
            }
            untilItWaitsOrEnds();
        }

        void untilItWaitsOrEnds() throws SQLException {
            while (!running.isDone()
                    && TestDatabase.list(eye, "SELECT 1 WHERE cardinality(pg_blocking_pids(" + pid + ")) > 0")
                            .isEmpty()) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new SQLException("out of time: it neither ends nor waits for anybody");
                }
            }
            if (running.isDone()) {
                try {
                    running.get();
                } catch (ExecutionException e) {
                    throw new SQLException(
                            "in the background",
                            e.getCause() instanceof SQLException sql ? sql.getSQLState() : null,
                            e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        void close() throws SQLException {
            thread.shutdownNow();
            connection.close();
        }
    }

    /** The windows of all tags: none of their own, or those of a policy. */
    private enum Windows {
        NONE,
        DEBOUNCE,
        AT_ONCE
    }

    private static final class World {
        private final Connection eye;
        private final Worker[] workers;
        private final Writer[] writers;
        private final Writer foreign;
        private final FencesAsked fences = new FencesAsked();
        private final Map<String, Integer> committed = new HashMap<>();
        private final Map<String, Integer> cached = new HashMap<>();
        private final Map<String, Integer> calls = new HashMap<>();
        private final Map<String, String> mood = new HashMap<>();
        private final Timestamp longAgo = Timestamp.valueOf("2026-01-01 00:00:00");
        private Random random;
        /** For changes that affect no order. */
        private Random aside;
        /** Somebody with an open transaction. */
        private final Connection holder;

        private final Background background;
        private final Map<String, Integer> jobSaw = new HashMap<>();
        private String brokenTag = "";
        private int retries;
        private int breakerTags;
        private boolean oneCall;
        private double upSeconds;
        /** How many tags of each target a hand-over has room for. */
        private int claimsAtOnce;

        private String job;
        private List<String> jobTags = List.of();
        private Timestamp jobAskedAt;
        private boolean ripe;
        private boolean simple;
        private Windows windows = Windows.NONE;
        private boolean calm;
        /** The target y goes after x and is filled from x, like a CDN in front of an app. */
        private boolean following;

        private Guards guards;

        World(TestDatabase database) throws SQLException {
            eye = database.connect();
            TestDatabase.run(eye, "SET lock_timeout = '4ms'");
            workers = new Worker[] {new Worker(database.connect()), new Worker(database.connect())};
            writers = new Writer[] {new Writer(database.connect()), new Writer(database.connect())};
            foreign = new Writer(database.connect());
            holder = database.connect();
            holder.setAutoCommit(false);
            background = new Background(database.connect(), eye);
        }

        void close() throws SQLException {
            holder.close();
            background.close();
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
            aside = new Random(seed);
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
            holder.rollback();
            background.untilItWaitsOrEnds();
            TestDatabase.run(eye, "SET lock_timeout = '60s'"); // autovacuum may be working on one of them
            TestDatabase.run(eye, """
                ALTER TABLE public.invalidation_audit DISABLE TRIGGER freshet_keep_audit;
                TRUNCATE freshet.inbox, public.cache_invalidation_queue, freshet.delivery, freshet.dead_letter,
                         freshet.mark_later, freshet.target, freshet.policy, public.invalidation_audit, freshet.fence,
                         freshet.fence_inbox, freshet.fence_queue, freshet.fence_delivery,
                         public.background_job_status, freshet.job_function;
                INSERT INTO freshet.target (name) VALUES ('x')\
                """ + (simple ? "" : ", ('y')"));
            TestDatabase.run(eye, "SET lock_timeout = '4ms'");
            windows = Windows.NONE;
            calm = false;
            following = false;
            brokenTag = "";
            retries = 5;
            breakerTags = simple ? 1 : 2;
            oneCall = false;
            upSeconds = 1e9;
            claimsAtOnce = 0;
            job = null;
            fences.clear();
            committed.clear();
            cached.clear();
            calls.clear();
            mood.clear();
        }

        /** In some runs tags have windows of a day. */
        void choosePolicies(int seed) throws SQLException {
            windows = Windows.values()[seed / 2 % Windows.values().length];
            if (windows != Windows.NONE) {
                policy("'*', debounce => '1 day', at_once => " + (windows == Windows.AT_ONCE));
            }
        }

        void declareThatYGoesAfterX() throws SQLException {
            following = true;
            simple = false;
            TestDatabase.run(
                    eye,
                    "INSERT INTO freshet.target (name, goes_after) VALUES ('y', 'x')"
                            + " ON CONFLICT (name) DO UPDATE SET goes_after = 'x'");
        }

        void policy(String said) throws SQLException {
            TestDatabase.run(eye, "SELECT cache_invalidation_policy(" + said + ")");
        }

        /** Ends all windows that have begun. Those begun by changes of long ago were over already. */
        void endWindows() throws SQLException {
            unlessLocked("UPDATE public.cache_invalidation_queue SET ripe_at = ripe_at - interval '1 day', quiet_at ="
                    + " quiet_at - interval '1 day', time_bucket = CASE WHEN quiet_at IS NULL THEN time_bucket ELSE"
                    + " time_bucket - interval '1 day' END WHERE ripe_at IS NOT NULL");
        }

        void change(String tag) throws SQLException {
            eye.setAutoCommit(false);
            TestDatabase.run(
                    eye, "INSERT INTO freshet.inbox (tag, changed_at) VALUES ('" + tag + "', '" + longAgo + "')");
            fences.ask(eye);
            eye.commit();
            eye.setAutoCommit(true);
            committed.merge(tag, 1, Integer::sum);
            fences.committed(eye, List.of(tag), committed);
        }

        void foreignChange(String tag) throws SQLException {
            TestDatabase.run(
                    eye,
                    "UPDATE public.cache_invalidation_queue SET invalidation_count = invalidation_count + 1 WHERE tag"
                            + " = '"
                            + tag + "'");
            committed.merge(tag, 1, Integer::sum);
        }

        void turns(Worker worker) throws SQLException {
            turn(worker);
            turn(worker);
        }

        void deliverAll(Worker worker) throws SQLException {
            deliverAll(worker, "x");
        }

        void deliverAll(Worker worker, String target) throws SQLException {
            claim(worker, target);
            while (worker.claims.stream().anyMatch(claim -> claim.result() == null)) {
                call(worker);
            }
            settleAll(worker);
        }

        void settleAll(Worker worker) throws SQLException {
            settle(worker);
            while (worker.open != null) {
                proceed(worker);
            }
        }

        void anything() throws SQLException {
            switch (random.nextInt(24)) {
                case 0, 1 -> write(writers[random.nextInt(2)]);
                case 2, 3 -> commit(writers[random.nextInt(2)]);
                case 4 -> upsert();
                case 5 -> commit(foreign);
                case 6 -> rollback(random.nextBoolean() ? foreign : writers[random.nextInt(2)]);
                case 7 ->
                    mood.put(target(), List.of("ok", "ok", "failed", "refused").get(random.nextInt(4)));
                case 8 -> expireLeases();
                case 9 -> endPauses();
                case 10 -> cleanUp();
                case 11 -> crash(workers[random.nextInt(2)]);
                case 12 -> brokenTag = random.nextBoolean() ? tag() : "";
                case 13 -> replay();
                case 14 -> giveUp();
                case 15 -> handBack(workers[random.nextInt(2)]);
                case 16 -> job();
                case 17 -> endWindows();
                default -> work(workers[random.nextInt(2)]);
            }
        }

        /** One bucket, ripe or not yet, without any failure. */
        void calmStep(boolean ripe) throws SQLException {
            calm = true;
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

        /** Every other run has one tag and one target that answers, so that it completes more rounds. */
        private String tag() {
            return TAGS.get(simple ? 0 : random.nextInt(2));
        }

        private String target() {
            return TARGETS.get(simple ? 0 : random.nextInt(2));
        }

        private void write(Writer writer) throws SQLException {
            String tag = tag();
            boolean asks = aside.nextInt(3) > 0;
            if (asks && aside.nextBoolean()) {
                fences.ask(writer.connection);
            }
            String savepoint = aside.nextInt(4) == 0 ? "SAVEPOINT s; " : "";
            // promise 4: whatever transactions others have open, this neither waits nor fails
            boolean isNow = windows != Windows.NONE && random.nextInt(4) > 0;
            TestDatabase.run(
                    writer.connection,
                    "SET LOCAL lock_timeout = '1ms'; " + savepoint
                            + "INSERT INTO freshet.inbox (tag, changed_at) VALUES ('" + tag + "', "
                            + (isNow || calm && windows != Windows.NONE ? "now()" : "'" + longAgo + "'") + ")");
            if (!savepoint.isEmpty() && aside.nextBoolean()) {
                TestDatabase.run(writer.connection, "RELEASE s");
            }
            writer.uncommitted.add(tag);
            if (asks) {
                fences.ask(writer.connection);
            }
        }

        /** The trigger of the replaced system. */
        private void upsert() throws SQLException {
            String tag = tag();
            try {
                TestDatabase.run(
                        foreign.connection,
                        "SET LOCAL lock_timeout = '4ms'; INSERT INTO public.cache_invalidation_queue AS q"
                                + " (tag, time_bucket, invalidation_count) VALUES ('" + tag + "', '" + longAgo
                                + "', 1) ON CONFLICT (tag, time_bucket)"
                                + " DO UPDATE SET invalidation_count = q.invalidation_count + 1");
                foreign.uncommitted.add(tag);
                fences.ask(foreign.connection);
            } catch (SQLException wouldHaveWaited) {
                rollback(foreign);
            }
        }

        /** Makes one dead letter for each of these tags. */
        void deadLettersOf(Worker worker, String... tags) throws SQLException {
            mood.put("x", "refused");
            for (String tag : tags) {
                change(tag);
            }
            turns(worker);
            deliverAll(worker);
            mood.put("x", "ok");
        }

        /**
         * While {@code step} makes a and b owed, it waits for somebody who is about to make a owed. Meanwhile b
         * changes, is called, and changes again during the call.
         */
        void overtaken(Worker one, Worker other, Step step) throws SQLException {
            holdUncommitted("a");
            step.take();
            change("b");
            turns(one);
            claim(one, "x");
            call(one);
            change("b");
            turns(other);
            letGo();
            settleAll(one);
            nothingIsLost();
        }

        /** Somebody is about to make this tag owed, and has not committed. */
        void holdUncommitted(String tag) throws SQLException {
            TestDatabase.run(
                    holder,
                    "INSERT INTO freshet.delivery (tag, target, handover, changed_at) VALUES ('" + tag
                            + "', 'x', nextval('freshet.handover_number'), now()) ON CONFLICT DO NOTHING");
        }

        /** A hand-over that looks up what is ripe, and pauses until letGo before it locks that. */
        void handOverThatPauses() throws SQLException {
            TestDatabase.run(holder, "SELECT pg_advisory_xact_lock(1)");
            String pausing = "AND (SELECT count(*) FROM pg_advisory_xact_lock(1)) > 0 AND time_bucket <= ";
            background.run(
                    new SqlFile(
                            "queue/hand-over",
                            guards.text("queue/hand-over").replaceFirst("AND time_bucket <= ", pausing)),
                    handOver(Timestamp.from(Instant.now()), "[]"));
        }

        void holdQueueRows() throws SQLException {
            TestDatabase.run(holder, "SELECT 1 FROM public.cache_invalidation_queue FOR UPDATE");
        }

        void neverWaits(Step step) throws SQLException {
            try {
                step.take();
            } catch (SQLException e) {
                if (!"55P03".equals(e.getSQLState())) {
                    throw e;
                }
                throw new Broken("waits for somebody else's lock");
            }
        }

        void letGo() throws SQLException {
            holder.commit();
            background.untilItWaitsOrEnds();
        }

        void replay() throws SQLException {
            Map<String, Object> all = new HashMap<>(Map.of("limit", 10));
            List.of("id", "ids", "target", "tag", "tagLike", "error", "requestId", "afterTag", "afterTarget")
                    .forEach(name -> all.put(name, null));
            background.run(guards.file("deliver/replay"), all);
        }

        void giveUp() throws SQLException {
            guards.file("deliver/give-up")
                    .rows(eye, Map.of("retryForSeconds", -1.0, "upSeconds", upSeconds, "limit", 10));
        }

        void handBack(Worker worker) throws SQLException {
            if (worker.open != null) {
                return;
            }
            try {
                guards.file("deliver/hand-back")
                        .update(
                                worker.connection,
                                Map.of(
                                        "tags",
                                        worker.claims.stream().map(Claim::tag).toList(),
                                        "targets",
                                        worker.claims.stream()
                                                .map(Claim::target)
                                                .toList(),
                                        "leases",
                                        worker.claims.stream().map(Claim::lease).toList()));
                worker.connection.commit();
                worker.claims.clear();
            } catch (SQLException e) {
                if (!"55P03".equals(e.getSQLState())) {
                    throw e;
                }
                worker.connection.rollback();
            }
        }

        /** As if the target's file had been deleted long ago. */
        void forget(String target) throws SQLException {
            TestDatabase.run(
                    eye,
                    "UPDATE freshet.target SET served_at = now() - interval '1 hour', deleted_at = now()"
                            + " WHERE name = '" + target + "'");
            eye.setAutoCommit(false);
            if (!guards.file("deliver/leaving-targets").rows(eye, Map.of()).isEmpty()) {
                guards.file("deliver/forget-target").rows(eye, Map.of("name", target, "limit", 100));
            }
            eye.commit();
            eye.setAutoCommit(true);
        }

        private void job() throws SQLException {
            if (!simple || background.isBusy()) {
                return; // a job's tags are owed to one target
            }
            if (job == null) {
                beginJob(tag());
            } else {
                switch (random.nextInt(4)) {
                    case 0 -> failJob();
                    case 1 -> oweRefresh();
                    default -> finishJob(random.nextBoolean());
                }
            }
        }

        /** A job's function has committed and made these tags stale; the call for them begins. */
        void beginJob(String... tags) throws SQLException {
            job = UUID.randomUUID().toString();
            jobTags = List.of(tags);
            TestDatabase.run(
                    eye,
                    "INSERT INTO public.background_job_status (id, status, attempt) VALUES ('" + job
                            + "', 'processing', 1); INSERT INTO freshet.job_function (job_id, function, round,"
                            + " attempt, tags, status, ended_at) VALUES ('"
                            + job
                            + "', 'f', 1, 1, '{" + String.join(",", tags) + "}', 'success', clock_timestamp())");
            jobTags.forEach(tag -> committed.merge(tag, 1, Integer::sum));
            jobAskedAt = (Timestamp) guards.file("stats/tags-to-refresh")
                    .rows(eye, Map.of("job", job, "attempt", 1))
                    .get(0)
                    .get("asked_at");
            jobSaw.clear();
            jobTags.forEach(tag -> jobSaw.put(tag, committed.get(tag)));
        }

        /** Cancelled, or its worker died too often. */
        void failJob() throws SQLException {
            TestDatabase.run(eye, "UPDATE public.background_job_status SET status = 'failed' WHERE id = '" + job + "'");
        }

        void finishJob(boolean delivered) throws SQLException {
            Map<String, Object> values = new HashMap<>(Map.of(
                    "job",
                    job,
                    "attempt",
                    1,
                    "source",
                    "job-admin",
                    "requestId",
                    "r",
                    "target",
                    "x",
                    "refresh",
                    "{}",
                    "delivered",
                    delivered ? jobTags : List.of(),
                    "owed",
                    delivered ? List.of() : jobTags,
                    "backoffSeconds",
                    60.0));
            values.put("lastStatus", 500);
            values.put("lastError", "HTTP 500");
            values.put("askedAt", jobAskedAt);
            if (delivered) {
                jobSaw.forEach((tag, saw) -> cached.merge("x" + tag, saw, Math::max));
            }
            background.run(guards.file("stats/finish-job"), values);
            job = null;
        }

        void oweRefresh() throws SQLException {
            background.run(guards.file("deliver/owe-refresh"), Map.of("target", "x", "hasTarget", true));
        }

        private void commit(Writer writer) throws SQLException {
            writer.connection.commit();
            writer.uncommitted.forEach(tag -> committed.merge(tag, 1, Integer::sum));
            fences.committed(writer.connection, writer.uncommitted, committed);
            writer.uncommitted.clear();
        }

        private void rollback(Writer writer) throws SQLException {
            writer.connection.rollback();
            fences.rolledBack(writer.connection);
            writer.uncommitted.clear();
        }

        void commitAll() throws SQLException {
            for (Writer writer : writers) {
                commit(writer);
            }
            commit(foreign);
        }

        private void expireLeases() throws SQLException {
            unlessLocked("UPDATE freshet.delivery SET due_at = now() WHERE lease_id IS NOT NULL");
        }

        private void endPauses() throws SQLException {
            unlessLocked("UPDATE freshet.delivery SET due_at = now() WHERE lease_id IS NULL");
            unlessLocked(
                    "UPDATE freshet.target SET open_until = now() - interval '1 second' WHERE open_until IS NOT NULL");
        }

        private void unlessLocked(String sql) throws SQLException {
            unlessLocked(() -> TestDatabase.run(eye, sql));
        }

        private void unlessLocked(Step step) throws SQLException {
            try {
                step.take();
            } catch (SQLException e) {
                if (!"55P03".equals(e.getSQLState())) {
                    throw e;
                }
            }
        }

        private void cleanUp() throws SQLException {
            eye.setAutoCommit(false);
            guards.file("queue/forget-processed").update(eye, Map.of("retentionSeconds", -1.0, "limit", 100));
            eye.commit();
            eye.setAutoCommit(true);
        }

        /** The process dies: its transaction is rolled back, its memory is gone, its leases stay. */
        private void crash(Worker worker) throws SQLException {
            worker.connection.rollback();
            worker.open = null;
            worker.folded = false;
            worker.claims.clear();
            worker.settling = List.of();
            worker.handing = List.of();
        }

        private void work(Worker worker) throws SQLException {
            try {
                if (worker.open != null) {
                    boolean withoutPause = random.nextBoolean();
                    do {
                        proceed(worker);
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
                worker.connection.rollback(); // it gives way and tries again later; it keeps what it knows of calls
                worker.open = null;
                worker.folded = false;
            }
        }

        private void startTurn(Worker worker, boolean ripe) throws SQLException {
            boolean mine = (Boolean) guards.file("queue/take-turn")
                    .rows(worker.connection, Map.of())
                    .get(0)
                    .get("mine");
            if (!mine) {
                worker.connection.rollback();
                worker.folded = false;
            } else if (worker.folded) {
                handOver(worker);
                worker.open = "commit";
                worker.folded = false;
            } else {
                Map<String, Object> which = new HashMap<>(Map.of(
                        "bucketSeconds", 5.0, "debounceSeconds", 0.0, "floor", 0L, "blocked", List.of(), "limit", 10));
                which.put("newest", false);
                which.put("only", null);
                Map<String, Object> row =
                        guards.file("queue/fold").rows(worker.connection, which).get(0);
                if ((Boolean) row.get("has_policies")) {
                    row = guards.file("queue/fold-by-policy")
                            .rows(worker.connection, which)
                            .get(0);
                }
                FencesAsked.noteFolded(worker.connection, guards::text, row);
                worker.horizon = (Timestamp) row.get("horizon");
                worker.open = ripe && (Integer) row.get("taken") < 10 ? "commit the fold" : "commit";
            }
        }

        private Map<String, Object> handOver(Timestamp horizon, String claims) {
            return Map.of(
                    "horizon",
                    horizon,
                    "since",
                    NarrowLooks.EVER,
                    "debounceSeconds",
                    0.0,
                    "limit",
                    10,
                    "momentLimit",
                    10,
                    "lowest",
                    0,
                    "aside",
                    List.of(),
                    "claims",
                    claims,
                    "leaseSeconds",
                    60.0,
                    "hasReplicas",
                    false);
        }

        private void handOver(Worker worker) throws SQLException {
            int room = worker.claims.isEmpty() ? claimsAtOnce : 0;
            Map<String, String> leases = new HashMap<>();
            TARGETS.forEach(target -> leases.put(target, UUID.randomUUID().toString()));
            String claims = TARGETS.stream()
                    .filter(target -> !following || target.equals("x"))
                    .map(target -> "{\"target\":\"" + target + "\",\"room\":" + room + ",\"lease\":\""
                            + leases.get(target) + "\"}")
                    .collect(Collectors.joining(",", "[", "]"));
            Map<String, Object> row = guards.file("queue/hand-over")
                    .rows(worker.connection, handOver(worker.horizon, claims))
                    .get(0);
            List<String> early = TestDatabase.list(
                    worker.connection,
                    "SELECT tag FROM public.cache_invalidation_queue" + " WHERE handover = " + row.get("handover")
                            + " AND invalidation_count = handed_count AND ripe_at > ?",
                    worker.horizon);
            if (!early.isEmpty()) {
                throw new Broken("handed over before its moment: " + early);
            }
            FencesAsked.noteHanded(worker.connection, guards::text, row);
            List<String> targets = SqlFile.texts(row.get("claimed_targets"));
            List<String> tags = SqlFile.texts(row.get("claimed_tags"));
            worker.handing = new ArrayList<>();
            for (int i = 0; i < targets.size(); i++) {
                worker.handing.add(new Claim(targets.get(i), tags.get(i), leases.get(targets.get(i)), 0, null, false));
            }
            for (String target : TARGETS) {
                long claimed = targets.stream().filter(target::equals).count();
                if (claimed > room) {
                    throw new Broken(claimed + " claimed for " + target + " with room for " + room);
                }
                boolean isOpen = !TestDatabase.list(
                                worker.connection,
                                "SELECT 1 FROM freshet.target WHERE name = ? AND open_until IS NOT NULL",
                                target)
                        .isEmpty();
                if (claimed > 0 && isOpen) {
                    throw new Broken("claimed with a hand-over through a breaker that is open");
                }
            }
        }

        private void proceed(Worker worker) throws SQLException {
            if (worker.open == null) {
                return;
            }
            switch (worker.open) {
                case "lock" -> {
                    worker.held =
                            guards.file("queue/lock-handed").rows(worker.connection, Map.of("tags", worker.lookAgain));
                    worker.open = "queue/mark";
                }
                case "queue/mark" -> {
                    guards.file("queue/mark")
                            .update(
                                    worker.connection,
                                    Map.of(
                                            "tags",
                                            worker.lookAgain,
                                            "heldTags",
                                            worker.held.stream()
                                                    .map(row -> row.get("tag"))
                                                    .toList(),
                                            "heldBuckets",
                                            worker.held.stream()
                                                    .map(row -> row.get("time_bucket"))
                                                    .toList()));
                    worker.open = "commit the settlement";
                }
                default -> {
                    worker.connection.commit();
                    worker.folded = worker.open.equals("commit the fold");
                    worker.claims.addAll(worker.handing);
                    worker.handing = List.of();
                    if (worker.open.equals("commit the settlement")) {
                        worker.claims.removeAll(worker.settling);
                    }
                    worker.open = null;
                }
            }
        }

        void holdsNothing(Worker worker) {
            if (!worker.claims.isEmpty()) {
                throw new Broken("holds " + worker.claims + " without a lease");
            }
        }

        /** Claims for x, and the claim must yield only this tag ("" for none). */
        void claims(Worker worker, String tag) throws SQLException {
            claims(worker, "x", tag);
        }

        void claims(Worker worker, String target, String tag) throws SQLException {
            worker.claims.clear();
            claim(worker, target);
            List<String> claimed = worker.claims.stream().map(Claim::tag).toList();
            if (!claimed.equals(tag.isEmpty() ? List.of() : List.of(tag))) {
                throw new Broken("claimed " + claimed + ", want " + tag);
            }
        }

        private void claim(Worker worker, String target) throws SQLException {
            String breaker = TestDatabase.list(
                            eye,
                            "SELECT CASE WHEN open_until > now() THEN 'open' WHEN open_until IS NOT NULL THEN 'probe'"
                                    + " END FROM freshet.target WHERE name = ?",
                            target)
                    .get(0);
            Map<String, Object> terms = new HashMap<>(Map.of(
                    "target",
                    target,
                    "limit",
                    5,
                    "urgentLimit",
                    5,
                    "retries",
                    retries,
                    "lowestFirst",
                    random.nextBoolean(),
                    "lease",
                    UUID.randomUUID().toString(),
                    "leaseSeconds",
                    60.0));
            terms.putAll(Map.of(
                    "hasReplicas",
                    false,
                    "freshWithinSeconds",
                    1e9,
                    "retriesWithinSeconds",
                    1e9,
                    "probeSeconds",
                    60.0,
                    "probeMaxSeconds",
                    60.0));
            List<Map<String, Object>> rows = guards.file("deliver/claim").rows(worker.connection, terms);
            worker.connection.commit();
            if ("open".equals(breaker) && !rows.isEmpty() || "probe".equals(breaker) && rows.size() > 1) {
                throw new Broken(rows.size() + " claimed through a breaker that is " + breaker);
            }
            rows.forEach(row -> worker.claims.add(new Claim(
                    target,
                    (String) row.get("tag"),
                    row.get("lease_id").toString(),
                    0,
                    null,
                    (Integer) row.get("rank") > 0)));
        }

        /** The call begins now: it shows the target what is committed now. */
        private void call(Worker worker) {
            for (int i = 0; i < worker.claims.size(); i++) {
                Claim claim = worker.claims.get(i);
                if (claim.result() == null) {
                    String place = claim.target() + claim.tag();
                    String result = claim.tag().equals(brokenTag) ? "broken" : mood.getOrDefault(claim.target(), "ok");
                    int saw = following && claim.target().equals("y")
                            ? cached.getOrDefault("x" + claim.tag(), 0)
                            : committed.getOrDefault(claim.tag(), 0);
                    calls.merge(place, 1, Integer::sum);
                    if (result.equals("ok")) {
                        cached.put(place, following ? saw : Math.max(saw, cached.getOrDefault(place, 0)));
                    }
                    worker.claims.set(
                            i,
                            new Claim(
                                    claim.target(),
                                    claim.tag(),
                                    claim.lease(),
                                    saw,
                                    result.equals("ok") ? "delivered" : result,
                                    claim.retry()));
                    return;
                }
            }
        }

        private void settle(Worker worker) throws SQLException {
            worker.settling = List.copyOf(worker.claims);
            StringBuilder json = new StringBuilder("[");
            for (Claim claim : worker.settling) {
                boolean broken = "broken".equals(claim.result());
                json.append(json.length() > 1 ? "," : "")
                        .append("{\"tag\":\"")
                        .append(claim.tag())
                        .append("\",\"target\":\"")
                        .append(claim.target())
                        .append("\",\"lease\":\"")
                        .append(claim.lease())
                        .append("\",\"call\":\"")
                        .append(oneCall ? claim.lease() : claim.lease() + claim.tag())
                        .append("\",\"result\":\"")
                        .append(broken ? "failed" : claim.result())
                        .append(broken ? "\",\"status\":500" : "\"")
                        .append(",\"company\":1}");
            }
            Map<String, Object> row = guards.file("deliver/settle")
                    .rows(
                            worker.connection,
                            Map.of(
                                    "outcomes",
                                    json.append("]").toString(),
                                    "marks",
                                    true,
                                    "retryForSeconds",
                                    3600.0,
                                    "backoffSeconds",
                                    30.0,
                                    "backoffMaxSeconds",
                                    60.0,
                                    "breakerTags",
                                    breakerTags,
                                    "probeSeconds",
                                    60.0))
                    .get(0);
            List<Claim> late = worker.settling.stream().filter(Claim::isLate).toList();
            if (!late.isEmpty()) {
                guards.file("deliver/owe-after")
                        .rows(
                                worker.connection,
                                Map.of(
                                        "tags",
                                        late.stream().map(Claim::tag).toList(),
                                        "targets",
                                        late.stream().map(Claim::target).toList()));
            }
            worker.lookAgain = SqlFile.texts(row.get("look_again"));
            worker.open = worker.lookAgain.isEmpty() ? "commit the settlement" : "lock";
        }

        /** Promises 1 and 2, at every moment: whatever is committed and not yet seen by a target is owed somewhere. */
        void nothingIsLost() throws SQLException {
            List<String> owed = TestDatabase.list(eye, """
                SELECT target || tag FROM (
                    SELECT tag FROM freshet.inbox
                    UNION SELECT tag FROM public.cache_invalidation_queue
                        WHERE last_invalidated_at IS NULL AND handover IS NULL
                            OR invalidation_count > handed_count) before_targets,
                    unnest(ARRAY['x', 'y']) target
                UNION SELECT 'x' || unnest(tags) FROM freshet.job_function WHERE NOT refreshed
                UNION SELECT target || tag FROM freshet.delivery
                UNION SELECT target || tag FROM freshet.dead_letter\
                """);
            List<String> givenUp = TestDatabase.list(eye, "SELECT tag FROM freshet.dead_letter WHERE target = 'x'");
            for (String tag : TAGS) {
                for (String target : simple ? TARGETS.subList(0, 1) : TARGETS) {
                    int seen = cached.getOrDefault(target + tag, 0);
                    boolean isOwed =
                            owed.contains(target + tag) || following && target.equals("y") && givenUp.contains(tag);
                    if (committed.getOrDefault(tag, 0) > seen && !isOwed) {
                        throw new Broken(
                                "lost: " + tag + " at " + target + " saw " + seen + " of " + committed.get(tag));
                    }
                }
            }
            processedMeansSettledAndAudited();
            nothingIsOwedToUnknownTargets();
            noFenceIsEarly();
        }

        private void noFenceIsEarly() throws SQLException {
            if (following) {
                return; // if y shows what x was given up for, no fence is at fault
            }
            String early = fences.wrong(
                    eye, guards.text("deliver/fences-now"), simple ? TARGETS.subList(0, 1) : TARGETS, cached);
            if (early != null) {
                throw new Broken(early);
            }
        }

        /** A delivery to an unknown target: nobody claims it, gives it up or forgets it. */
        void nothingIsOwedToUnknownTargets() throws SQLException {
            List<String> orphans = TestDatabase.list(
                    eye,
                    "SELECT tag || ' to ' || target FROM freshet.delivery"
                            + " WHERE target NOT IN (SELECT name FROM freshet.target)");
            if (!orphans.isEmpty()) {
                throw new Broken("owed for ever: " + orphans);
            }
        }

        void calledOnce(String place) {
            if (!Integer.valueOf(1).equals(calls.get(place))) {
                throw new Broken(calls.get(place) + " calls for " + place + ", want 1");
            }
        }

        private void processedMeansSettledAndAudited() throws SQLException {
            List<String> wrong = TestDatabase.list(eye, """
                SELECT 'before ' || d.target || ' had an outcome: ' || q.tag
                FROM public.cache_invalidation_queue q JOIN freshet.delivery d USING (tag)
                WHERE last_invalidated_at IS NOT NULL AND invalidation_count = handed_count
                  AND d.attempts = 0 AND d.settled_handover = 0
                  AND NOT EXISTS (SELECT FROM freshet.dead_letter l WHERE l.tag = d.tag AND l.target = d.target)
                  AND NOT EXISTS (SELECT FROM public.cache_invalidation_queue o WHERE o.tag = d.tag
                      AND o.handover IS NOT NULL)
                UNION ALL
                SELECT 'without an audit row: ' || tag FROM public.cache_invalidation_queue
                    WHERE last_invalidated_at IS NOT NULL
                  AND NOT EXISTS (SELECT FROM public.invalidation_audit WHERE keys @> to_jsonb(tag))\
                """);
            if (!wrong.isEmpty()) {
                throw new Broken("processed " + wrong);
            }
        }

        void healAndDrain() throws SQLException {
            commitAll();
            mood.clear();
            brokenTag = "";
            background.untilItWaitsOrEnds();
            if (job != null) {
                failJob();
                job = null;
            }
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
                expireLeases();
                endPauses();
                endWindows();
                oweRefresh();
                TestDatabase.run(eye, """
                    INSERT INTO freshet.delivery AS d (tag, target, handover, changed_at, rank)
                    SELECT tag, target, nextval('freshet.handover_number'), now(), 1 FROM freshet.dead_letter
                    ON CONFLICT (tag, target) DO NOTHING\
                    """);
                Worker worker = workers[round % 2];
                worker.folded = false;
                turn(worker);
                turn(worker);
                markLater(worker);
                claim(worker, TARGETS.get(simple ? 0 : round / 2 % 2));
            }
            throw new Broken("it never comes to rest: " + TestDatabase.list(eye, """
                SELECT 'inbox ' || i FROM freshet.inbox i UNION ALL SELECT 'queue ' || q
                    FROM public.cache_invalidation_queue q
                UNION ALL SELECT 'delivery ' || d FROM freshet.delivery d UNION ALL SELECT 'dead ' || l
                    FROM freshet.dead_letter l\
                """));
        }

        private void turn(Worker worker) throws SQLException {
            startTurn(worker, true);
            while (worker.open != null) {
                proceed(worker);
            }
        }

        private void markLater(Worker worker) throws SQLException {
            List<String> tags =
                    guards.file("queue/take-mark-later").rows(worker.connection, Map.of("limit", 100)).stream()
                            .map(row -> (String) row.get("tag"))
                            .toList();
            worker.lookAgain = tags;
            worker.settling = List.of();
            worker.open = "lock";
            while (worker.open != null) {
                proceed(worker);
            }
        }

        private boolean drained() throws SQLException {
            return TestDatabase.list(eye, """
                SELECT 1 FROM freshet.inbox UNION ALL SELECT 1 FROM freshet.delivery UNION ALL SELECT 1
                    FROM freshet.dead_letter
                UNION ALL SELECT 1 FROM freshet.job_function WHERE NOT refreshed
                UNION ALL SELECT 1 FROM public.cache_invalidation_queue WHERE last_invalidated_at IS NULL
                    OR invalidation_count > handed_count
                LIMIT 1\
                """).isEmpty();
        }

        void everythingArrived() throws SQLException {
            nothingIsLost();
            for (String tag : TAGS) {
                for (String target : simple ? TARGETS.subList(0, 1) : TARGETS) {
                    if (!committed.getOrDefault(tag, 0).equals(cached.getOrDefault(target + tag, 0))) {
                        throw new Broken("at the end " + target + " saw " + cached.get(target + tag) + " of "
                                + committed.get(tag) + " of " + tag);
                    }
                }
            }
            String late = fences.notOut(eye, guards.text("deliver/fences-now"));
            if (late != null) {
                throw new Broken(late);
            }
        }

        void breakerIsClosed() throws SQLException {
            if (!TestDatabase.list(eye, "SELECT 1 FROM freshet.target WHERE open_until IS NOT NULL")
                    .isEmpty()) {
                throw new Broken("the breaker is open");
            }
        }

        void noDeadLetters() throws SQLException {
            if (!TestDatabase.list(eye, "SELECT 1 FROM freshet.dead_letter").isEmpty()) {
                throw new Broken("given up without a call");
            }
        }

        void nothingIsProcessed() throws SQLException {
            if (!TestDatabase.list(
                            eye, "SELECT 1 FROM public.cache_invalidation_queue WHERE last_invalidated_at IS NOT NULL")
                    .isEmpty()) {
                throw new Broken("marked as processed, and something newer is owed");
            }
        }

        void everythingIsProcessed() throws SQLException {
            if (!TestDatabase.list(
                            eye, "SELECT 1 FROM public.cache_invalidation_queue WHERE last_invalidated_at IS NULL")
                    .isEmpty()) {
                throw new Broken("delivered everywhere, and never marked as processed");
            }
        }

        void eachCalledOnce() {
            for (String tag : TAGS) {
                for (String target : simple ? TARGETS.subList(0, 1) : TARGETS) {
                    int want = committed.getOrDefault(tag, 0) > 0 ? 1 : 0;
                    int most = windows == Windows.AT_ONCE ? 2 * want : want;
                    int made = calls.getOrDefault(target + tag, 0);
                    if (made < want || made > most) {
                        throw new Broken(
                                calls.get(target + tag) + " calls for " + tag + " at " + target + ", want " + want);
                    }
                }
            }
        }
    }
}
