package dev.freshet.console;

import dev.freshet.api.Times;
import dev.freshet.console.Verdict.Level;
import dev.freshet.console.Verdict.Problem;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.observe.Meters;
import dev.freshet.run.routes.LiveRoutes;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the console shows first, in one answer. Asked by many at once it looks once a second; what costs more, every
 * ten.
 */
public final class Overview {
    /** Who answers, and when the oldest change counts as late. */
    public record Instance(String name, String version, Instant started, Duration late) {}

    private static final Duration GOOD_FOR = Duration.ofMillis(900);
    private static final Duration SLOW_GOOD_FOR = Duration.ofSeconds(10);
    private static final Duration UNSERVED = Duration.ofSeconds(60);
    private static final double SAMPLE_ROWS = 50_000;

    private final SqlFile queueState = SqlFile.of("queue/queue-state");
    private final SqlFile targets = SqlFile.of("console/targets");
    private final SqlFile jobs = SqlFile.of("console/jobs");
    private final SqlFile letters = SqlFile.of("console/letters");
    private final SqlFile surroundings = SqlFile.of("console/surroundings");
    private final SqlFile hottest = SqlFile.of("console/hottest");
    private final SqlFile watchProblems = SqlFile.of("console/watch-problems");
    private final SqlFile policies = SqlFile.of("console/policies");
    private final Transactions transactions;
    private final Freshness freshness;
    private final Meters meters;
    private final RouteControl routes;
    private final LiveRoutes files;
    private final Instance instance;
    private final Verdict verdict = new Verdict();

    private Replicas replicas = Replicas.NONE;
    private Map<String, Object> last;
    private long lastAt;
    private Map<String, Object> slow;
    private long slowAt;
    private Instant awaySince;

    public Overview(
            Transactions transactions,
            Freshness freshness,
            Meters meters,
            RouteControl routes,
            LiveRoutes files,
            Instance instance) {
        this.transactions = transactions;
        this.freshness = freshness;
        this.meters = meters;
        this.routes = routes;
        this.files = files;
        this.instance = instance;
    }

    public void alsoLooksAt(Replicas some) {
        this.replicas = some;
    }

    /** With the charts' data. */
    public Map<String, Object> whole() {
        Map<String, Object> answer = new LinkedHashMap<>(now());
        answer.put("series", freshness.series());
        return answer;
    }

    List<Map<String, Object>> series() {
        return freshness.series();
    }

    synchronized Map<String, Object> now() {
        if (last == null || System.nanoTime() - lastAt > GOOD_FOR.toNanos()) {
            last = look();
            lastAt = System.nanoTime();
        }
        return last;
    }

    private Map<String, Object> look() {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("health", null);
        List<Problem> problems = new ArrayList<>();
        try {
            transactions.in(c -> {
                answer.put("queue", queueState.rows(c, Map.of()).get(0));
                answer.put("targets", Times.readable(targets.rows(c, Map.of())));
                answer.put("jobs", Times.readable(jobs.rows(c, Map.of()).get(0)));
                answer.put(
                        "dead_letters", Times.readable(letters.rows(c, Map.of()).get(0)));
                return null;
            });
            answer.putAll(slow());
            awaySince = null;
            judge(answer, problems);
        } catch (SQLException away) {
            awaySince = awaySince == null ? Instant.now() : awaySince;
            problems.add(new Problem(Level.down, "The database does not answer", awaySince, "overview"));
        }
        judgeRoutes(problems);
        judgeReplicas(problems);
        answer.put("freshness", freshness.lately());
        answer.put(
                "coalescing",
                Map.of(
                        "changes",
                        meters.value("freshet.changes"),
                        "calls_saved",
                        meters.value("freshet.calls.saved"),
                        "factor",
                        meters.value("freshet.coalescing.factor")));
        answer.put("instance", instance.name());
        answer.put("version", instance.version());
        answer.put("started_at", instance.started().toString());
        answer.put("stats_functions", routes.statsFunctions());
        answer.put(
                "routes",
                Map.of(
                        "revision",
                        routes.revision(),
                        "stopped",
                        routes.stopped().size(),
                        "broken",
                        files.broken().size()));
        answer.put("health", verdict.of(problems));
        return answer;
    }

    private Map<String, Object> slow() throws SQLException {
        if (slow == null || System.nanoTime() - slowAt > SLOW_GOOD_FOR.toNanos()) {
            slow = transactions.in(c -> {
                Map<String, Object> around = surroundings.rows(c, Map.of()).get(0);
                double percent = Math.min(
                        100, 100 * SAMPLE_ROWS / Math.max(1, ((Number) around.get("queue_rows")).doubleValue()));
                Map<String, Object> answer = new LinkedHashMap<>();
                answer.put("instances", around.get("instances"));
                answer.put("hottest", Times.readable(hottest.rows(c, Map.of("percent", percent))));
                answer.put("watches", around.get("watches"));
                answer.put("policies", Times.readable(policies.rows(c, Map.of())));
                answer.put("watch_problems", watchProblems.rows(c, Map.of()));
                return answer;
            });
            slowAt = System.nanoTime();
        }
        return slow;
    }

    @SuppressWarnings("unchecked")
    private void judge(Map<String, Object> seen, List<Problem> problems) {
        List<Map<String, Object>> known = (List<Map<String, Object>>) seen.get("targets");
        for (Map<String, Object> target : known) {
            judgeTarget(target, problems);
        }
        if (known.stream().noneMatch(target -> (Boolean) target.get("takes_queue"))) {
            problems.add(new Problem(
                    Level.attention,
                    "No target takes the queue's tags: they are settled without a call",
                    null,
                    "overview"));
        }
        double oldest =
                ((Map<String, Number>) seen.get("queue")).get("oldest_seconds").doubleValue();
        if (oldest > instance.late().toMillis() / 1000.0) {
            problems.add(new Problem(
                    Level.stale,
                    "The oldest change has waited for too long",
                    Instant.now().minusMillis((long) (oldest * 1000)),
                    "overview"));
        }
        Map<String, Object> given = (Map<String, Object>) seen.get("dead_letters");
        long letters = ((Number) given.get("count")).longValue();
        if (letters > 0) {
            problems.add(new Problem(
                    Level.attention,
                    number(letters, "delivery was", "deliveries were") + " given up",
                    instant(given.get("oldest_at")),
                    "letters"));
        }
        long failed = ((Number) ((Map<String, Object>) seen.get("jobs")).get("failed_today")).longValue();
        if (failed > 0) {
            problems.add(new Problem(
                    Level.attention,
                    number(failed, "stats job", "stats jobs") + " failed within a day",
                    instant(((Map<String, Object>) seen.get("jobs")).get("failing_since")),
                    "jobs"));
        }
        for (Map<String, Object> watch : (List<Map<String, Object>>) seen.get("watch_problems")) {
            problems.add(new Problem(
                    Level.attention,
                    "The watch on " + watch.get("table_name") + ": " + watch.get("problem"),
                    null,
                    "overview"));
        }
    }

    private static void judgeTarget(Map<String, Object> target, List<Problem> problems) {
        String name = "Target " + target.get("name");
        Instant served = instant(target.get("served_at"));
        long retrying = ((Number) target.get("retrying")).longValue();
        if (served != null && served.isBefore(Instant.now().minus(UNSERVED)) && (Boolean) target.get("unserved")) {
            problems.add(new Problem(Level.stale, name + " is served by no instance", served, "routes"));
        } else if (target.get("missing_since") != null) {
            problems.add(new Problem(
                    Level.attention,
                    name + " is gone from DNS: it is forgotten after a minute",
                    instant(target.get("missing_since")),
                    "overview"));
        } else if (target.get("opened_at") != null) {
            problems.add(new Problem(
                    Level.stale, name + " is down: it is only probed", instant(target.get("opened_at")), "overview"));
        } else if (retrying > 0) {
            problems.add(new Problem(
                    Level.stale,
                    name + ": " + number(retrying, "tag waits", "tags wait") + " for another try",
                    instant(target.get("failing_since")),
                    "overview"));
        }
    }

    private void judgeRoutes(List<Problem> problems) {
        files.broken()
                .forEach(broken -> problems.add(new Problem(
                        Level.attention,
                        broken.file() + (broken.line() == null ? "" : " line " + broken.line())
                                + " is not in force; its last good version is",
                        broken.since(),
                        "routes")));
        routes.stopped()
                .forEach((route, since) -> problems.add(
                        new Problem(Level.attention, "Route " + route + " was stopped by hand", since, "routes")));
    }

    private void judgeReplicas(List<Problem> problems) {
        replicas.seen().stream()
                .filter(Replicas.Seen::isPassedOver)
                .forEach(each -> problems.add(new Problem(
                        Level.attention,
                        "Read replica " + each.name() + " is " + each.says(),
                        each.since(),
                        "overview")));
    }

    private static String number(long count, String one, String many) {
        return count + " " + (count == 1 ? one : many);
    }

    private static Instant instant(Object shown) {
        return shown == null ? null : Instant.parse((String) shown);
    }
}
