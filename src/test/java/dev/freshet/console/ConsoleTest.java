package dev.freshet.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.console.Freshness.Lately;
import dev.freshet.console.Freshness.Point;
import dev.freshet.console.Verdict.Finding;
import dev.freshet.console.Verdict.Judged;
import dev.freshet.console.Verdict.Level;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the console makes of numbers, patterns and problems. */
class ConsoleTest {
    @ParameterizedTest
    @CsvSource({
        "course:7, course:{id}, true",
        "course:*, course:{id}, true",
        "*, course_list, true",
        "c*7, course:{id}, true",
        "courses, course:{id}, false",
        "course, course:{id}, false",
        "*:staff, course:{id}:staff, true",
        "*:staff, course:{id}, true",
        "{{x}}, {{x}}, false",
        "a*b*c, {one}, true",
        "x*, y{one}, false",
        "*x, {one}y, false"
    })
    void a_pattern_matches_the_templates_that_can_make_a_tag_for_it(String pattern, String template, boolean meets) {
        TagPattern asked =
                TagPattern.of(pattern.indexOf('{') < 0 ? null : pattern, pattern.indexOf('{') < 0 ? pattern : null);
        assertEquals(meets, asked.takesSomeOf(template));
    }

    @Test
    void escaped_braces_are_not_a_placeholder_for_a_column() {
        assertTrue(TagPattern.makes("a{{b}}{\"odd } name\"}", "a{b}c"));
        assertEquals(false, TagPattern.makes("a{{b}}", "axx"));
    }

    @Test
    void all_quantiles_of_one_delivery_are_the_same() {
        PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Timer timer = Timer.builder("freshet.commit.to.delivered")
                .serviceLevelObjectives(Duration.ofSeconds(1), Duration.ofSeconds(3))
                .register(meters);
        Freshness freshness = new Freshness(meters, () -> 0.0);
        timer.record(Duration.ofSeconds(2));
        Lately lately = freshness.lately();
        assertEquals(2000L, lately.p50Ms());
        assertEquals(2000L, lately.p99Ms());
    }

    @Test
    void a_quantile_lies_between_the_bounds_of_its_bucket() {
        PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Timer timer = Timer.builder("freshet.commit.to.delivered")
                .serviceLevelObjectives(Duration.ofMillis(100), Duration.ofSeconds(1), Duration.ofSeconds(10))
                .register(meters);
        Freshness freshness = new Freshness(meters, () -> 3.0);
        assertNull(freshness.lately().p50Ms());
        for (int i = 0; i < 98; i++) {
            timer.record(Duration.ofMillis(500));
        }
        timer.record(Duration.ofSeconds(5));
        timer.record(Duration.ofSeconds(5));
        Lately lately = freshness.lately();
        assertEquals(100L, lately.delivered());
        long p50 = lately.p50Ms();
        long p99 = lately.p99Ms();
        assertTrue(p50 > 100 && p50 < 1000, lately.toString());
        assertTrue(p99 > 1000 && p99 < 10_000, lately.toString());
        freshness.sample();
        freshness.sample();
        assertEquals(
                List.of(100L, 0L),
                freshness.series().stream().map(Point::delivered).toList());
        assertNull(freshness.series().get(1).p99Ms());
        assertEquals(3.0, freshness.series().get(1).pending());
    }

    @Test
    void a_delivery_slower_than_every_bound_counts_as_the_last_bound() {
        PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Timer timer = Timer.builder("freshet.commit.to.delivered")
                .serviceLevelObjectives(Duration.ofSeconds(1), Duration.ofSeconds(10))
                .register(meters);
        Freshness freshness = new Freshness(meters, () -> null);
        timer.record(Duration.ofHours(1));
        assertEquals(10_000L, freshness.lately().p99Ms());
    }

    @Test
    void the_verdict_is_the_worst_finding_since_the_oldest_of_its_level() {
        Verdict verdict = new Verdict();
        assertEquals("fresh", verdict.of(List.of()).verdict().name());
        Instant old = Instant.parse("2026-01-01T00:00:00Z");
        Instant older = Instant.parse("2025-01-01T00:00:00Z");
        Judged judged = verdict.of(List.of(
                new Finding(Level.attention, "remark", older, "jobs"),
                new Finding(Level.stale, "newer", Instant.now(), "overview"),
                new Finding(Level.stale, "worst", old, "overview"),
                new Finding(Level.attention, "undated", null, "overview")));
        assertEquals("stale", judged.verdict().name());
        assertEquals("worst", judged.says());
        assertEquals(old.toString(), judged.since().toString());
        Instant before = Instant.now();
        assertTrue(!verdict.of(List.of()).since().isBefore(before));
    }
}
