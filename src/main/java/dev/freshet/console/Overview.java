package dev.freshet.console;

import dev.freshet.console.OverviewAnswer.Coalesced;
import dev.freshet.console.OverviewAnswer.RouteSummary;
import dev.freshet.console.OverviewAnswer.WithSeries;
import dev.freshet.database.Transactions;
import dev.freshet.deliver.replica.Replicas;
import dev.freshet.observe.Meters;
import dev.freshet.run.routes.LiveRoutes;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * The console's overview, as one answer. However many ask, it queries the database once a second, and for expensive
 * parts every ten.
 */
public final class Overview {
    /** The answering instance, and when the oldest change counts as late. */
    public record Instance(String name, String version, Instant started, Duration late) {}

    private static final Duration GOOD_FOR = Duration.ofMillis(900);

    private final DatabaseLook database;
    private final Freshness freshness;
    private final Meters meters;
    private final RouteControl routes;
    private final LiveRoutes files;
    private final Instance instance;
    private final Verdict verdict = new Verdict();

    private Replicas replicas = Replicas.NONE;
    private OverviewAnswer last;
    private long lastAt;
    private Instant awaySince;

    public Overview(
            Transactions transactions,
            Freshness freshness,
            Meters meters,
            RouteControl routes,
            LiveRoutes files,
            Instance instance) {
        this.database = new DatabaseLook(transactions);
        this.freshness = freshness;
        this.meters = meters;
        this.routes = routes;
        this.files = files;
        this.instance = instance;
    }

    public void alsoLooksAt(Replicas some) {
        this.replicas = some;
    }

    /** Includes the charts' data. */
    public WithSeries whole() {
        return new WithSeries(now(), freshness.series());
    }

    List<Freshness.Point> series() {
        return freshness.series();
    }

    synchronized OverviewAnswer now() {
        if (last == null || System.nanoTime() - lastAt > GOOD_FOR.toNanos()) {
            last = look();
            lastAt = System.nanoTime();
        }
        return last;
    }

    private OverviewAnswer look() {
        Judgement judgement = new Judgement();
        WorkInHand work = null;
        Surroundings surroundings = null;
        try {
            WorkInHand first = database.work();
            surroundings = database.surroundings();
            work = first; // the page knows an answer with both parts, and one with none
            awaySince = null;
            judgement.judge(work, instance.late());
            judgement.judge(surroundings);
        } catch (SQLException away) {
            awaySince = awaySince == null ? Instant.now() : awaySince;
            judgement.databaseIsAway(awaySince);
        }
        judgement.judgeFiles(files.broken());
        judgement.judgeStopped(routes.stopped());
        judgement.judge(replicas);
        return new OverviewAnswer(
                verdict.of(judgement.findings()),
                work,
                surroundings,
                freshness.lately(),
                coalesced(),
                instance.name(),
                instance.version(),
                instance.started(),
                routes.statsFunctions(),
                new RouteSummary(
                        routes.revision(),
                        routes.stopped().size(),
                        files.broken().size()));
    }

    private Coalesced coalesced() {
        return new Coalesced(
                meters.value("freshet.changes"),
                meters.value("freshet.calls.saved"),
                meters.value("freshet.coalescing.factor"));
    }
}
