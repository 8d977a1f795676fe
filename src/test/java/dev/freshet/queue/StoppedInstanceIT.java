package dev.freshet.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.Scene;
import dev.freshet.testing.Signal;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One of two instances is stopped in the middle of a transaction, as by a suspended machine or a cut network: its
 * connection stays open, and what it has locked stays locked. The other instance proceeds with everything that is not
 * locked, and soon with that, too. A trigger of the test that sleeps determines where to stop: the instance whose
 * session sleeps there is the one that is stopped.
 */
class StoppedInstanceIT {
    private record Place(String name, String table, String event, String condition) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Scene scene;
    private static List<Long> processes;
    private static long stopped;

    @BeforeAll
    static void open() throws Exception {
        scene = new Scene("FRESHET_STATS_JOBS=1", "FRESHET_LOG_LEVEL=DEBUG");
        for (String function : JobFunctions.NAMES) {
            scene.database.run("CREATE FUNCTION " + function + "() RETURNS void LANGUAGE sql AS ''");
        }
        processes =
                Stream.of(scene.start(), scene.start()).map(FreshetProcess::pid).toList();
        scene.database.run("""
            CREATE TABLE public.trap (place text);
            CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (SELECT FROM public.trap WHERE place = TG_NAME) THEN
                    PERFORM pg_sleep(2);
                END IF;
                RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
            END $$\
            """);
        for (Place place : places().toList()) {
            scene.database.run("CREATE TRIGGER \"" + place + "\" BEFORE " + place.event() + " ON " + place.table()
                    + " FOR EACH ROW WHEN (" + place.condition() + ") EXECUTE FUNCTION public.trap()");
        }
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @AfterEach
    void resume() throws Exception {
        if (stopped != 0) {
            Signal.CONT.to(stopped);
            stopped = 0;
        }
    }

    static Stream<Place> places() {
        return Stream.of(
                new Place("in a fold", "public.cache_invalidation_queue", "INSERT", "NEW.tag = 'trap'"),
                new Place("in a hand-over", "freshet.delivery", "INSERT", "NEW.tag = 'trap'"),
                new Place("in a claim", "freshet.delivery", "UPDATE", "NEW.tag = 'trap' AND NEW.lease_id IS NOT NULL"),
                new Place("in a settlement", "freshet.delivery", "DELETE", "OLD.tag = 'trap'"),
                new Place("in a registration", "freshet.target", "UPDATE", "NEW.served_at > OLD.served_at"),
                new Place(
                        "in a turn at the jobs", "public.background_job_status", "UPDATE", "NEW.status = 'processing'"),
                new Place(
                        "between a function and its commit",
                        "freshet.job_function",
                        "UPDATE",
                        "NEW.status = 'success'"),
                new Place("at the end of a job", "public.background_job_status", "UPDATE", "NEW.status = 'completed'"));
    }

    @ParameterizedTest
    @MethodSource
    void places(Place place) throws Exception {
        scene.database.run("UPDATE freshet.target SET served_at = now() - interval '20 seconds'");
        scene.database.run("INSERT INTO public.trap VALUES ('" + place + "')");
        String job = place.table().contains("job") ? queueJob() : null;
        begin(place);
        stopped = stopTheOneThatSleeps();
        scene.database.run("DELETE FROM public.trap");
        String[] others = Stream.of("a", "b", "c")
                .map(tag -> tag + " while one is stopped " + place)
                .toArray(String[]::new);
        scene.change("trap"); // the oldest of all that is to be handed over, and perhaps locked
        scene.change(others);
        for (String tag : others) {
            scene.receiver.awaitCalls(tag, 1);
        }
        scene.awaitProcessed(others);
        scene.awaitProcessed("trap");
        awaitCompleted(queueJob());
        if (job != null) {
            awaitCompleted(job);
        }
        resume();
        scene.letEverythingPass();
        assertEquals(
                List.of(),
                scene.database.list("SELECT tag FROM freshet.delivery UNION ALL SELECT tag FROM freshet.dead_letter"));
    }

    /**
     * What a hand-over adds it claims as well, whereas a claim finds only deliveries that are due and that nobody
     * holds.
     */
    private static void begin(Place place) throws SQLException {
        if (place.name().equals("in a claim")) {
            scene.database.run("INSERT INTO freshet.delivery (tag, target, handover, changed_at)"
                    + " SELECT 'trap', name, nextval('freshet.handover_number'), now() FROM freshet.target"
                    + " WHERE takes_queue");
        } else {
            scene.change("trap");
        }
    }

    /** The session that sleeps in the trap has the id of its process in its application name. */
    private static long stopTheOneThatSleeps() throws Exception {
        AtomicReference<String> pid = new AtomicReference<>();
        Scene.until("somebody is in the trap", () -> {
            scene
                    .database
                    .list("SELECT substring(application_name FROM '^freshet (\\d+)$') FROM pg_stat_activity"
                            + " WHERE datname = current_database() AND wait_event = 'PgSleep'")
                    .stream()
                    .findFirst()
                    .ifPresent(pid::set);
            return pid.get() != null;
        });
        long process = Long.parseLong(pid.get());
        assertTrue(processes.contains(process));
        Signal.STOP.to(process);
        return process;
    }

    private static String queueJob() throws SQLException {
        return scene.database.one("INSERT INTO background_job_status (job_payload) VALUES ('{}') RETURNING id::text");
    }

    private static void awaitCompleted(String job) {
        Scene.until(
                "job " + job + " is completed",
                () -> scene.isTrue("SELECT status = 'completed' FROM background_job_status WHERE id = ?::uuid", job));
    }
}
