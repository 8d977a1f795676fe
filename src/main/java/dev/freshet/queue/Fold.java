package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The statements that put what has committed into the queue, one row for each tag and bucket. */
final class Fold {
    /**
     * @param taken how many changes
     * @param horizon up to when everything that was committed is in the queue, if fewer were taken than allowed
     * @param policies which are in force; -1: there are none
     * @param oldest of the changes that were taken; null: none
     * @param fenced changes that a fence may wait for
     */
    record Folded(
            int taken, Timestamp horizon, Timestamp oldest, boolean hasPolicies, long policies, List<Long> fenced) {}

    /** @param blocked tags that are left where they are */
    private record Changes(long floor, List<String> blocked) {}

    private record Next(Changes changes, double bucketSeconds, int limit) {}

    /** @param only of this tag; null: of any */
    private record Which(Next next, double debounceSeconds, String only) {}

    private record ByPolicy(Which which, boolean newest) {}

    private final SqlFile plain = SqlFile.of("queue/fold");
    private final SqlFile byPolicy = SqlFile.of("queue/fold-by-policy");
    private final SqlFile lockedInInbox = SqlFile.of("queue/locked-in-inbox");
    private final SqlFile oldestInInbox = SqlFile.of("queue/oldest-in-inbox");
    private final Floor floor = new Floor(SqlFile.of("queue/inbox-last-id"));
    private final double bucketSeconds;
    private final double debounceSeconds;
    private final FenceNotes fences;
    private final NarrowLooks looks;
    private boolean hasPolicies;

    Fold(Duration bucket, Duration debounce, FenceNotes fences, NarrowLooks looks) {
        this.bucketSeconds = bucket.toMillis() / 1000.0;
        this.debounceSeconds = debounce.toMillis() / 1000.0;
        this.fences = fences;
        this.looks = looks;
    }

    Floor floor() {
        return floor;
    }

    /** @param blocked tags that are left where they are */
    Folded oldest(Connection connection, int limit, List<String> blocked) throws SQLException {
        return take(connection, limit, blocked, null, false);
    }

    Folded only(Connection connection, String tag, int limit) throws SQLException {
        return take(connection, limit, List.of(), tag, false);
    }

    /** What came last, where there are policies. */
    Folded newest(Connection connection, int limit, List<String> blocked) throws SQLException {
        return take(connection, limit, blocked, null, true);
    }

    private Folded take(Connection connection, int limit, List<String> blocked, String only, boolean newest)
            throws SQLException {
        Which which = new Which(next(limit, blocked), debounceSeconds, only);
        Folded folded = hasPolicies
                ? byPolicy.row(connection, new ByPolicy(which, newest), Folded.class)
                : plain.row(connection, which, Folded.class);
        if (!hasPolicies && folded.hasPolicies()) { // the plain one has taken nothing then
            folded = byPolicy.row(connection, new ByPolicy(which, newest), Folded.class);
        }
        hasPolicies = folded.hasPolicies();
        fences.folded(connection, folded.fenced());
        looks.added(folded.oldest()); // before it is committed: if it never is, the next looks are wider than need be
        return folded;
    }

    /** Of what the next fold would take, the tags whose row of the queue is held by somebody else. */
    List<String> heldByOthers(Connection connection, int limit, List<String> blocked) throws SQLException {
        return lockedInInbox.rows(connection, next(limit, blocked), String.class);
    }

    Optional<String> oldestTag(Connection connection, List<String> blocked) throws SQLException {
        return oldestInInbox.firstRow(connection, new Changes(floor.id(), blocked), String.class);
    }

    private Next next(int limit, List<String> blocked) {
        return new Next(new Changes(floor.id(), blocked), bucketSeconds, limit);
    }
}
