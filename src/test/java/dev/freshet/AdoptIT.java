package dev.freshet;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The replaced worker's database, with its table, its rows and the triggers that people wrote for it. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AdoptIT {
    private static final String OLD = """
            CREATE TABLE public.cache_invalidation_queue (
                tag TEXT NOT NULL, time_bucket TIMESTAMPTZ NOT NULL, invalidation_count INTEGER DEFAULT 1,
                last_invalidated_at TIMESTAMPTZ, created_at TIMESTAMPTZ DEFAULT NOW(), PRIMARY KEY (tag, time_bucket));
            INSERT INTO public.cache_invalidation_queue VALUES
                ('left-to-do', now() - interval '1 hour', 7, NULL, now() - interval '1 hour'),
                ('left-to-do', now() - interval '2 hours', 1, NULL, now() - interval '2 hours'),
                ('left-processed', now() - interval '5 minutes', 3, now() - interval '4 minutes', now() - interval '5 minutes');
            CREATE TABLE public.lessons (id int PRIMARY KEY, title text);
            CREATE FUNCTION public.old_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO cache_invalidation_queue (tag, time_bucket, invalidation_count)
                VALUES ('lesson:' || NEW.id, date_trunc('day', now()), 1)
                ON CONFLICT (tag, time_bucket) DO UPDATE SET invalidation_count = cache_invalidation_queue.invalidation_count + 1;
                RETURN NEW;
            END $$;
            CREATE TRIGGER old_trigger AFTER INSERT OR UPDATE ON public.lessons FOR EACH ROW EXECUTE FUNCTION public.old_trigger();
            """;

    private static Scene scene;

    @BeforeAll
    static void open() throws Exception {
        TestDatabase database = TestDatabase.empty();
        database.run(OLD);
        scene = new Scene(database);
        scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Order(1)
    @Test
    void rows_left_to_do_make_one_call_and_processed_ones_none() throws SQLException {
        scene.receiver.awaitCalls("left-to-do", 1);
        scene.awaitProcessed("left-to-do");
        scene.letEverythingPass();
        assertEquals(1, scene.receiver.calls("left-to-do").size());
        assertEquals(List.of(), scene.receiver.calls("left-processed"));
        assertEquals("3", scene.one("SELECT total_invalidations FROM cache_invalidation_latest WHERE tag = 'left-processed'"));
    }

    @Order(2)
    @Test
    void an_old_trigger_keeps_working() throws SQLException {
        scene.database.run("INSERT INTO public.lessons VALUES (1, 'One')");
        scene.receiver.awaitCalls("lesson:1", 1);
        scene.awaitProcessed("lesson:1");
        assertEquals(1, scene.receiver.calls("lesson:1").size());
    }

    @Order(3)
    @Test
    void an_old_triggers_upsert_onto_a_processed_row_is_processed_again() throws SQLException {
        scene.database.run("UPDATE public.lessons SET title = 'Once more' WHERE id = 1");
        scene.receiver.awaitCalls("lesson:1", 2);
        scene.awaitProcessed("lesson:1");
        assertEquals("2", scene.one("SELECT invalidation_count FROM public.cache_invalidation_queue WHERE tag = 'lesson:1'"));
    }

    @Order(4)
    @Test
    void old_and_new_ways_share_a_row() throws SQLException {
        scene.database.run("BEGIN; UPDATE public.lessons SET title = 'Both'; SELECT enqueue_cache_invalidation('lesson:1'); COMMIT");
        scene.receiver.awaitCalls("lesson:1", 3);
        scene.awaitProcessed("lesson:1");
    }
}
