package dev.freshet.console;

import dev.freshet.console.Verdict.Finding;
import dev.freshet.console.Verdict.Level;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.run.routes.BrokenRouteFile;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Collects the reasons why caches may not be fresh. */
final class Judgement {
    private static final Duration UNSERVED = Duration.ofSeconds(60);

    private final List<Finding> findings = new ArrayList<>();

    List<Finding> findings() {
        return findings;
    }

    void databaseIsAway(Instant since) {
        add(Level.down, "The database does not answer", since, "overview");
    }

    /** @param late how long the oldest change may have waited */
    void judge(WorkInHand work, Duration late) {
        work.targets().forEach(this::judge);
        if (work.targets().stream().noneMatch(TargetState::takesQueue)) {
            add(Level.attention, "No target takes the queue's tags: they are settled without a call", null, "overview");
        }
        double oldest = work.queue().oldestSeconds();
        if (oldest > late.toMillis() / 1000.0) {
            Instant since = Instant.now().minusMillis((long) (oldest * 1000));
            add(Level.stale, "The oldest change has waited for too long", since, "overview");
        }
        long letters = work.deadLetters().count();
        if (letters > 0) {
            String what = number(letters, "delivery was", "deliveries were") + " given up";
            add(Level.attention, what, work.deadLetters().oldestAt(), "letters");
        }
        long failed = work.jobs().failedToday();
        if (failed > 0) {
            String what = number(failed, "stats job", "stats jobs") + " failed within a day";
            add(Level.attention, what, work.jobs().failingSince(), "jobs");
        }
    }

    private void judge(TargetState target) {
        String name = "Target " + target.name();
        if (target.unserved() && target.servedAt().isBefore(Instant.now().minus(UNSERVED))) {
            add(Level.stale, name + " is served by no instance", target.servedAt(), "routes");
        } else if (target.missingSince() != null) {
            String what = name + " is gone from DNS: it is forgotten after a minute";
            add(Level.attention, what, target.missingSince(), "overview");
        } else if (target.openedAt() != null) {
            add(Level.stale, name + " is down: it is only probed", target.openedAt(), "overview");
        } else if (target.retrying() > 0) {
            String what = name + ": " + number(target.retrying(), "tag waits", "tags wait") + " for another try";
            add(Level.stale, what, target.failingSince(), "overview");
        }
    }

    void judge(Surroundings around) {
        around.watchProblems()
                .forEach(watch -> add(
                        Level.attention,
                        "The watch on " + watch.tableName() + ": " + watch.problem(),
                        null,
                        "overview"));
    }

    void judgeFiles(List<BrokenRouteFile> files) {
        for (BrokenRouteFile broken : files) {
            String where = broken.file() + (broken.line() == null ? "" : " line " + broken.line());
            add(Level.attention, where + " is not in force; its last good version is", broken.since(), "routes");
        }
    }

    void judgeStopped(Map<String, Instant> routes) {
        routes.forEach(
                (route, since) -> add(Level.attention, "Route " + route + " was stopped by hand", since, "routes"));
    }

    void judge(Replicas replicas) {
        replicas.seen().stream()
                .filter(Replicas.Seen::isPassedOver)
                .forEach(each -> add(
                        Level.attention,
                        "Read replica " + each.name() + " is " + each.says(),
                        each.since(),
                        "overview"));
    }

    private void add(Level level, String what, Instant since, String view) {
        findings.add(new Finding(level, what, since, view));
    }

    private static String number(long count, String one, String many) {
        return count + " " + (count == 1 ? one : many);
    }
}
