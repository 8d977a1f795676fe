package dev.freshet.stats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.stats.StatsFunctions.Ran;
import dev.freshet.stats.StatsFunctions.Result;
import dev.freshet.testing.RouteTest;
import dev.freshet.testing.TenFunctions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.apache.camel.Processor;
import org.junit.jupiter.api.Test;

class StatsRoutesTest extends RouteTest {
    private static final Job JOB = new Job("j1", 1, null, "match", "r1");
    private static final Ran WELL = new Ran("f", Result.success, null);

    StatsRoutesTest() {
        super("stats.camel.yaml", "errors.camel.yaml");
    }

    @Test
    void a_job_is_claimed_and_run_and_there_may_be_another() throws Exception {
        answer("jobs.claim", JOB);
        send("poll-jobs");
        send("claim-job");
        assertEquals(
                List.of("seda:claim-job", "jobs.claim()", "INFO Received job: j1", "seda:run-job " + JOB, "seda:claim-job"),
                happened());
        assertEquals(Duration.ofSeconds(1), every("poll-jobs"));
    }

    @Test
    void without_a_job_nothing_runs() throws Exception {
        send("claim-job");
        assertEquals(List.of("jobs.claim()"), happened());
    }
}
