package dev.freshet.database;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.JobFunctions;
import dev.freshet.testing.Scene;
import dev.freshet.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The database of the replaced worker, with its table, its rows and the triggers that users wrote for it. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AdoptIT {
    private static final String OLD = """
        CREATE TABLE public.cache_invalidation_queue (
            tag TEXT NOT NULL, time_bucket TIMESTAMPTZ NOT NULL, invalidation_count INTEGER DEFAULT 1,
            last_invalidated_at TIMESTAMPTZ, created_at TIMESTAMPTZ DEFAULT NOW(), PRIMARY KEY (tag, time_bucket));
        INSERT INTO public.cache_invalidation_queue VALUES
            ('left-to-do', now() - interval '1 hour', 7, NULL, now() - interval '1 hour'),
            ('left-to-do', now() - interval '2 hours', 1, NULL, now() - interval '2 hours'),
            ('left-processed', now() - interval '5 minutes', 3, now() - interval '4 minutes',
             now() - interval '5 minutes');
        CREATE TABLE public.lessons (id int PRIMARY KEY, title text);
        CREATE FUNCTION public.old_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO cache_invalidation_queue (tag, time_bucket, invalidation_count)
            VALUES ('lesson:' || NEW.id, date_trunc('day', now()), 1)
            ON CONFLICT (tag, time_bucket)
            DO UPDATE SET invalidation_count = cache_invalidation_queue.invalidation_count + 1;
            RETURN NEW;
        END $$;
        CREATE TRIGGER old_trigger AFTER INSERT OR UPDATE ON public.lessons
            FOR EACH ROW EXECUTE FUNCTION public.old_trigger();
        """;

    private static final String OLD_JOBS = """
        CREATE TABLE public.background_job_status (
            id UUID PRIMARY KEY DEFAULT gen_random_uuid(), job_type TEXT NOT NULL, job_payload JSONB NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('queued', 'processing', 'completed', 'failed')),
            priority INTEGER DEFAULT 1,
            retry_count INTEGER DEFAULT 0, tenant_id UUID, error_message TEXT, results JSONB,
            started_at TIMESTAMPTZ, completed_at TIMESTAMPTZ,
            created_at TIMESTAMPTZ DEFAULT NOW(), updated_at TIMESTAMPTZ DEFAULT NOW());
        CREATE INDEX idx_background_job_status_status ON public.background_job_status (status);
        INSERT INTO public.background_job_status (job_type, job_payload, status, retry_count, error_message, results,
            started_at, completed_at, created_at, updated_at)
        SELECT 'stats_update',
               jsonb_build_object('triggeredBy', 'admin', 'requestId', 'old-' || status, 'timestamp', '2025-01-01'),
               status, 1,
               CASE status WHEN 'failed' THEN 'timeout' END,
               CASE status WHEN 'completed' THEN '{"total_functions": 10}'::jsonb END,
               CASE WHEN status <> 'queued' THEN now() - interval '5 hours' END,
               CASE WHEN status IN ('completed', 'failed') THEN now() - interval '4 hours' END,
               now() - interval '6 hours', now() - interval '4 hours'
        FROM unnest(ARRAY['queued', 'processing', 'completed', 'failed']) status;
        CREATE VIEW public.old_columns AS
        SELECT id, job_type, job_payload, status, priority, retry_count, tenant_id, error_message, results,
            started_at, completed_at, created_at, updated_at FROM public.background_job_status;
        CREATE TABLE public.as_it_was AS SELECT * FROM public.old_columns;
        """;

    private static Scene scene;
    private static JobFunctions functions;

    @BeforeAll
    static void open() throws Exception {
        TestDatabase database = TestDatabase.empty();
        database.run(OLD);
        database.run(OLD_JOBS);
        functions = new JobFunctions(database::connect);
        scene = new Scene(database);
        scene.start();
    }

    @AfterAll
    static void close() throws Exception {
        scene.close();
    }

    @Order(1)
    @Test
    void pending_rows_make_one_call_and_processed_ones_none() throws SQLException {
        scene.receiver.awaitCalls("left-to-do", 1);
        scene.awaitProcessed("left-to-do");
        scene.letEverythingPass();
        assertEquals(1, scene.receiver.calls("left-to-do").size());
        assertEquals(List.of(), scene.receiver.calls("left-processed"));
        assertEquals(
                "3",
                scene.one("SELECT total_invalidations FROM cache_invalidation_latest WHERE tag = 'left-processed'"));
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
        assertEquals(
                "2",
                scene.one("SELECT invalidation_count FROM public.cache_invalidation_queue WHERE tag = 'lesson:1'"));
    }

    @Order(4)
    @Test
    void the_old_and_the_new_way_in_share_a_row() throws SQLException {
        scene.database.run(
                "BEGIN; UPDATE public.lessons SET title = 'Both'; SELECT enqueue_cache_invalidation('lesson:1');"
                        + " COMMIT");
        scene.receiver.awaitCalls("lesson:1", 3);
        scene.awaitProcessed("lesson:1");
    }

    @Order(5)
    @Test
    void open_old_jobs_run_once_and_the_others_stay_as_they_were() throws SQLException {
        for (String open : List.of("queued", "processing")) {
            functions.await(
                    scene.one(
                            "SELECT id FROM background_job_status WHERE job_payload ->> 'requestId' = ?",
                            "old-" + open),
                    "completed");
        }
        assertEquals(JobFunctions.times(2, 2), functions.begun());
        assertEquals("4", scene.one("SELECT count(*) FROM background_job_status"));
        assertEquals(
                List.of("completed", "failed"),
                scene.database.list(
                        "SELECT status FROM (TABLE old_columns INTERSECT TABLE as_it_was) same ORDER BY 1"));
        assertEquals(
                "f",
                scene.one("SELECT relrowsecurity FROM pg_class WHERE oid = 'public.background_job_status'::regclass"),
                "its readers go on reading");
    }

    @Order(6)
    @Test
    void an_old_failed_job_is_retried_by_the_manuals_update() throws SQLException {
        String job = scene.one("SELECT id FROM background_job_status WHERE status = 'failed'");
        scene.database.run(
                "UPDATE background_job_status SET status='queued', retry_count=retry_count+1 WHERE id='" + job + "'");
        functions.await(job, "completed");
        assertEquals(JobFunctions.times(3, 3), functions.begun());
        assertEquals("2", scene.one("SELECT retry_count FROM background_job_status WHERE id = ?::uuid", job));
    }
}
