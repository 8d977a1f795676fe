package dev.freshet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.api.Refused;
import dev.freshet.stats.Job;
import dev.freshet.testing.RouteTest;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The route of each policy performs one step, {@code seda:work}, which fails as the test says. */
class ErrorsRoutesTest extends RouteTest {
    private static final SQLException AWAY = new SQLException("the database is away", "08006");
    private static final IOException RESET = new IOException("reset");

    private static final Job JOB = new Job("j1", 1, null, "match", "r1");

    ErrorsRoutesTest() {
        super("errors.camel.yaml");
        note("refreshes");
    }

    @BeforeEach
    void routes() throws Exception {
        add(new RouteBuilder() {
            @Override
            public void configure() {
                for (String policy : List.of(
                        "deliver", "settle", "poll", "event", "api", "api-success", "job", "refresh", "topic-errors")) {
                    from("direct:" + policy)
                            .routeId(policy)
                            .routeConfigurationId(policy)
                            .to("seda:work")
                            .to("seda:next");
                }
            }
        });
    }

    @Test
    void a_call_that_failed_temporarily_is_tried_once_more_under_the_same_lease() throws Exception {
        answer("seda:work", RESET, null);
        answer("outcomes.worthAnotherTry", true);
        deliver();
        assertEquals(
                List.of(
                        "beginCall [course:7]",
                        "seda:work [course:7]",
                        "outcomes.worthAnotherTry([course:7], reset)",
                        "failedAttempts [course:7]",
                        "seda:work [course:7]",
                        "seda:next [course:7]"),
                happened());
        assertEquals(List.of(Duration.ofMillis(300)), waits("try-once-more"));
    }

    @Test
    void a_call_that_fails_twice_is_settled() throws Exception {
        answer("seda:work", RESET);
        answer("outcomes.worthAnotherTry", true);
        deliver();
        List<String> happened = happened();
        assertEquals(2, Collections.frequency(happened, "seda:work [course:7]"));
        assertEquals("direct:failed [course:7]", happened.get(happened.size() - 1));
    }

    @Test
    void a_call_that_failed_permanently_is_settled_at_once() throws Exception {
        answer("seda:work", RESET);
        answer("outcomes.worthAnotherTry", false);
        deliver();
        assertEquals(
                List.of(
                        "beginCall [course:7]",
                        "seda:work [course:7]",
                        "outcomes.worthAnotherTry([course:7], reset)",
                        "direct:failed [course:7]"),
                happened());
    }

    @Test
    void a_settlement_waits_half_a_minute_for_the_database_and_then_lets_leases_end() throws Exception {
        answer("seda:work", AWAY);
        send("direct:settle", List.of("outcome"));
        assertEquals(
                after(
                        31,
                        "ledger.giveUp([outcome])",
                        "WARN Outcomes could not be written: the database is away. The calls are made again when their"
                                + " leases end"),
                happened());
        assertEquals(Collections.nCopies(30, Duration.ofSeconds(1)), waits("wait-for-the-database"));
    }

    @Test
    void a_settlement_proceeds_once_the_database_is_back() throws Exception {
        answer("seda:work", AWAY, AWAY, null);
        send("direct:settle", List.of("outcome"));
        assertEquals(after(3, "seda:next [outcome]"), happened());
    }

    @Test
    void a_failed_poll_is_reported_and_not_repeated_before_its_time() throws Exception {
        answer("seda:work", RESET);
        send("direct:poll");
        assertEquals(List.of("seda:work", "troubles.report(poll, reset)"), happened());
    }

    @Test
    void a_failed_request_is_answered_with_its_error() throws Exception {
        answer("seda:work", new Refused(404, "there is no such job"));
        Exchange answered = send("direct:api");
        assertEquals(404, header(answered, Exchange.HTTP_RESPONSE_CODE));
        assertEquals("application/problem+json", header(answered, "Content-Type"));
        answer("seda:work", AWAY);
        assertEquals(503, header(send("direct:api"), Exchange.HTTP_RESPONSE_CODE));
        assertEquals(List.of("seda:work", "seda:work"), happened());
    }

    @Test
    void callers_of_the_replaced_workers_get_success_false() throws Exception {
        answer("seda:work", new Refused(404, "there is no such job"));
        Exchange answered = send("direct:api-success");
        assertEquals(404, header(answered, Exchange.HTTP_RESPONSE_CODE));
        assertEquals(true, text(answered).contains("\"success\":false"), text(answered));
        assertEquals(List.of("seda:work"), happened());
    }

    @Test
    void a_job_waits_for_the_database_and_is_then_left_to_another_attempt() throws Exception {
        answer("seda:work", AWAY);
        send("direct:job", null, Map.of(), Map.of("job", JOB));
        List<String> happened = happened();
        assertEquals(17, happened.size());
        assertEquals(16, Collections.frequency(happened, "seda:work"));
        assertEquals("jobs.abandon(" + JOB + ")", happened.get(16));
        assertEquals(Collections.nCopies(15, Duration.ofSeconds(1)), waits("finish-when-the-database-is-back"));
    }

    @Test
    void a_job_that_fails_for_another_reason_is_left_at_once() throws Exception {
        answer("seda:work", RESET);
        send("direct:job", null, Map.of(), Map.of("job", JOB));
        assertEquals(List.of("seda:work", "jobs.abandon(" + JOB + ")"), happened());
    }

    @Test
    void a_refresh_is_tried_three_times_and_its_job_proceeds_nevertheless() throws Exception {
        answer("seda:work", RESET);
        answer("refreshes.mayPass", true);
        send("direct:refresh");
        List<String> happened = happened();
        assertEquals(3, Collections.frequency(happened, "seda:work"));
        assertEquals(
                List.of("refreshes.gaveUp(null, reset)", "seda:next"),
                happened.subList(happened.size() - 2, happened.size()));
        assertEquals(List.of(Duration.ofMillis(500), Duration.ofSeconds(1)), waits("try-three-times"));
    }

    @Test
    void a_refresh_that_failed_permanently_is_tried_once() throws Exception {
        answer("seda:work", RESET);
        send("direct:refresh");
        assertEquals(
                List.of("seda:work", "refreshes.mayPass(reset)", "refreshes.gaveUp(null, reset)", "seda:next"),
                happened());
    }

    @Test
    void an_event_that_could_not_be_passed_on_is_lost_and_told() throws Exception {
        answer("seda:work", RESET);
        send("direct:event");
        assertEquals(List.of("seda:work", "troubles.lost(event, reset)"), happened());
    }

    @Test
    void an_event_that_could_not_be_sent_is_left_to_the_relay() {
        answer("seda:work", RESET);
        assertThrows(IOException.class, () -> send("direct:topic-errors"));
        assertEquals(List.of("seda:work"), happened());
    }

    private void deliver() throws Exception {
        send("direct:deliver", call("course:7"), Map.of(), Map.of("call", call("course:7")));
    }

    /** This many attempts at work, and then these. */
    private static List<String> after(int times, String... then) {
        List<String> all = new ArrayList<>(Collections.nCopies(times, "seda:work [outcome]"));
        all.addAll(List.of(then));
        return all;
    }
}
