package dev.freshet.console;

import dev.freshet.console.Surroundings.HotTag;
import dev.freshet.console.Surroundings.StandingPolicy;
import dev.freshet.console.Surroundings.WatchProblem;
import dev.freshet.console.WorkInHand.FenceCount;
import dev.freshet.console.WorkInHand.JobCounts;
import dev.freshet.console.WorkInHand.LetterCount;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.observe.QueueState;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;

/** Queries the database for the overview. Used by one thread at a time. */
final class DatabaseLook {
    private record Sizes(Long instances, double queueRows, long watches) {}

    private static final Duration SURROUNDINGS_GOOD_FOR = Duration.ofSeconds(10);
    private static final double SAMPLE_ROWS = 50_000;
    /**
     * After counting fences, rest for this many times as long as it took: if very many wait, they are counted less
     * often.
     */
    private static final int FENCES_REST = 50;

    private final SqlFile queueState = SqlFile.of("queue/queue-state");
    private final SqlFile targets = SqlFile.of("console/targets");
    private final SqlFile jobs = SqlFile.of("console/jobs");
    private final SqlFile letters = SqlFile.of("console/letters");
    private final SqlFile fences = SqlFile.of("console/fences");
    private final SqlFile sizes = SqlFile.of("console/surroundings");
    private final SqlFile hottest = SqlFile.of("console/hottest");
    private final SqlFile watchProblems = SqlFile.of("console/watch-problems");
    private final SqlFile policies = SqlFile.of("console/policies");
    private final Transactions transactions;
    private FenceCount lastFences;
    private long fencesNotBefore;
    private Surroundings lastSurroundings;
    private long lastSurroundingsAt;

    DatabaseLook(Transactions transactions) {
        this.transactions = transactions;
    }

    WorkInHand work() throws SQLException {
        return transactions.in(c -> new WorkInHand(
                queueState.row(c, Map.of(), QueueState.class),
                targets.rows(c, Map.of(), TargetState.class),
                jobs.row(c, Map.of(), JobCounts.class),
                letters.row(c, Map.of(), LetterCount.class),
                fences(c)));
    }

    private FenceCount fences(Connection c) throws SQLException {
        long begun = System.nanoTime();
        if (lastFences == null || begun - fencesNotBefore >= 0) {
            lastFences = fences.row(c, Map.of(), FenceCount.class);
            long now = System.nanoTime();
            fencesNotBefore = now + FENCES_REST * (now - begun);
        }
        return lastFences;
    }

    /** Up to some seconds old. */
    Surroundings surroundings() throws SQLException {
        if (lastSurroundings == null || System.nanoTime() - lastSurroundingsAt > SURROUNDINGS_GOOD_FOR.toNanos()) {
            lastSurroundings = transactions.in(this::surroundings);
            lastSurroundingsAt = System.nanoTime();
        }
        return lastSurroundings;
    }

    private Surroundings surroundings(Connection c) throws SQLException {
        Sizes size = sizes.row(c, Map.of(), Sizes.class);
        double percent = Math.min(100, 100 * SAMPLE_ROWS / Math.max(1, size.queueRows()));
        return new Surroundings(
                size.instances(),
                hottest.rows(c, Map.of("percent", percent), HotTag.class),
                size.watches(),
                policies.rows(c, Map.of(), StandingPolicy.class),
                watchProblems.rows(c, Map.of(), WatchProblem.class));
    }
}
