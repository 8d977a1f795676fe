package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The statements that move committed changes from the inbox into the queue, one row for each tag and bucket. */
final class Fold {
    /**
     * @param taken number of changes
     * @param horizon everything committed up to then is in the queue, provided that fewer changes were taken than
     *     allowed
     * @param policies version of the policies in force; -1 if there are none
     * @param oldest time of the oldest change that was taken; null if none was
     * @param fenced ids of changes that a fence may wait for
     */
    record Folded(
            int taken, Timestamp horizon, Timestamp oldest, boolean hasPolicies, long policies, List<Long> fenced) {}

    /** @param blocked tags that are not folded for now */
    private record Changes(long floor, List<String> blocked) {}

    private record Next(Changes changes, double bucketSeconds, int limit) {}

    /** @param only fold this tag only; null: any tag */
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

    /** @param blocked tags that are not folded for now */
    Folded oldest(Connection connection, int limit, List<String> blocked) throws SQLException {
        return take(connection, limit, blocked, null, false);
    }

    Folded only(Connection connection, String tag, int limit) throws SQLException {
        return take(connection, limit, List.of(), tag, false);
    }

    /** Folds the newest changes first. For use where there are policies. */
    Folded newest(Connection connection, int limit, List<String> blocked) throws SQLException {
        return take(connection, limit, blocked, null, true);
    }

    private Folded take(Connection connection, int limit, List<String> blocked, String only, boolean newest)
            throws SQLException {
        Which which = new Which(next(limit, blocked), debounceSeconds, only);
        Folded folded = hasPolicies
                ? byPolicy.row(connection, new ByPolicy(which, newest), Folded.class)
                : plain.row(connection, which, Folded.class);
        if (!hasPolicies && folded.hasPolicies()) { // in this case the plain fold took nothing
            folded = byPolicy.row(connection, new ByPolicy(which, newest), Folded.class);
        }
        hasPolicies = folded.hasPolicies();
        fences.folded(connection, folded.fenced());
        // before the commit: if it rolls back, the next looks are merely wider than needed
        looks.added(folded.oldest());
        return folded;
    }

    /** Of the tags that the next fold would take, those whose row in the queue is locked by someone else. */
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
