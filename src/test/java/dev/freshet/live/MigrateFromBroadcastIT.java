package dev.freshet.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.testing.EventStream;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.TestDatabase;
import dev.freshet.testing.Walkthrough;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * Follows docs/migrate-from-broadcast.md as written, there and back, on the demo's tables with triggers of the old
 * kind.
 */
class MigrateFromBroadcastIT {
    private static final Pattern HEARD = Pattern.compile("-- hear: ([^\\n]*)");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String OLD_SYSTEM = """
        SELECT live_events_off();
        CREATE FUNCTION notify_vote() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            e text := (SELECT eid FROM public.events JOIN public.art a ON a.event_id = events.id
                       WHERE a.id = NEW.art_id);
        BEGIN
            PERFORM pg_notify('cache_invalidate_' || e, json_build_object('type', 'vote_cast', 'event_eid', e,
                'endpoints', json_build_array('/live/event/' || e))::text);
            RETURN NEW;
        END $$;
        CREATE FUNCTION notify_other() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_notify('global_cache_stats', '{"old":true}'); RETURN NEW; END $$;
        CREATE TRIGGER cache_invalidate_art_trigger AFTER UPDATE ON art FOR EACH ROW EXECUTE FUNCTION notify_other();
        CREATE TRIGGER cache_invalidate_votes_trigger AFTER INSERT ON votes FOR EACH ROW EXECUTE FUNCTION notify_vote();
        CREATE TRIGGER cache_invalidate_bids_trigger AFTER INSERT ON bids FOR EACH ROW EXECUTE FUNCTION notify_other();
        CREATE TRIGGER cache_invalidate_media_trigger AFTER INSERT OR UPDATE ON art_media
            FOR EACH ROW EXECUTE FUNCTION notify_other();
        """;

    private TestDatabase database;
    private Connection listener;
    private Walkthrough guide;

    @BeforeEach
    void installOldSystemOnTheDemosTables() throws Exception {
        database = TestDatabase.empty();
        database.runAsSuperuser("ALTER DATABASE " + database.name() + " SET search_path = public");
        database.migrate();
        database.run(Files.readString(Path.of("sql/demo/auction.sql")));
        database.run(OLD_SYSTEM);
        listener = database.connect();
        guide = new Walkthrough("docs/migrate-from-broadcast.md", database);
    }

    @AfterEach
    void stopEverything() throws SQLException {
        listener.close();
        database.close();
    }

    @Test
    void every_step_does_what_it_says_and_every_event_is_received_once() throws Exception {
        guide.check("look");
        try (FreshetProcess freshet = FreshetProcess.start(Map.of("DATABASE_URL", database.url()))) {
            run("install");
            guide.check("check-install");
            TestDatabase.run(listener, guide.block("listen"));
            try (EventStream stream = EventStream.open(freshet, "/live/AB3028/stream")) {
                for (String test : List.of(
                        "test-art", "test-vote", "test-bid", "test-media", "test-manual", "test-manual-endpoint")) {
                    run(test);
                    assertEquals(List.of(expected(test)), heard(), test);
                }
                assertEquals(
                        List.of(
                                "art_updated",
                                "vote_cast",
                                "bid_placed",
                                "media_updated",
                                "manual_invalidation",
                                "manual_invalidation"),
                        stream.await(6).stream().map(EventStream.Event::type).toList());
            }
            guide.check("check-stats");
            run("off");
            guide.check("check-off");
            run("on-again");
            guide.check("check-install");
            run("off-as-before");
            guide.check("check-off-as-before");
            run("back");
            run("test-vote");
            assertEquals(List.of("vote_cast /live/event/AB3028"), heard());
            assertEquals(
                    "1",
                    database.one(
                            "SELECT count FROM get_cache_invalidation_stats('AB3028', 60) WHERE table_name = 'votes'"),
                    "that one was the old trigger's");
        }
    }

    @Test
    void every_block_of_the_document_is_run() {
        guide.everyBlockIsRunIn(MigrateFromBroadcastIT.class);
    }

    /**
     * What arrived on the event's channel, followed by one more on the channel for all. Nothing else may follow before
     * a later event does.
     */
    private List<String> heard() throws Exception {
        List<String> heard = new ArrayList<>();
        int others = 0;
        boolean old = !database.list("SELECT 1 FROM pg_trigger WHERE tgfoid::regproc::text LIKE '%notify_vote'")
                .isEmpty();
        while (heard.isEmpty() || others < (old ? 0 : heard.size())) {
            PGNotification[] some = listener.unwrap(PGConnection.class).getNotifications((int) PATIENCE.toMillis());
            assertTrue(some != null && some.length > 0, "nothing heard");
            for (PGNotification notification : some) {
                JsonNode payload = new ObjectMapper().readTree(notification.getParameter());
                if (notification.getName().equals("global_cache_stats")) {
                    assertEquals("AB3028", payload.get("event_eid").asText());
                    others++;
                } else {
                    assertEquals("cache_invalidate_AB3028", notification.getName());
                    StringBuilder text = new StringBuilder(payload.get("type").asText());
                    payload.get("endpoints")
                            .forEach(endpoint -> text.append(' ').append(endpoint.asText()));
                    heard.add(text.toString());
                }
            }
        }
        return heard;
    }

    private String expected(String name) {
        Matcher heard = HEARD.matcher(guide.block(name));
        assertTrue(heard.find(), name);
        return heard.group(1).strip();
    }

    private void run(String name) throws SQLException {
        database.run(guide.block(name));
    }
}
