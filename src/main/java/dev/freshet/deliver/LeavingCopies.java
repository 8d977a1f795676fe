package dev.freshet.deliver;

import dev.freshet.database.Json;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes copies from the database whose address has disappeared from DNS or from the target's list. What they were
 * owed is dropped or passed on to the other copies.
 */
final class LeavingCopies {
    /** The logger's name is the one that operators know for this part of Freshet. */
    private static final Logger LOG = LoggerFactory.getLogger(Copies.class);
    /** Few enough that no one has to wait for the transaction that deletes them. */
    private static final int FORGET_TAGS = 1_000;

    private record Left(String name, boolean isGone, int tags, int letters, boolean isForgotten) {}

    private record Leaving(String name, String parent, boolean isGone) {}

    /** @param heirs copies that take over what it was owed, unless its address is gone */
    private record Which(String name, List<String> heirs, boolean gone, String why, int limit) {}

    private record Forgotten(int tags, int letters, boolean isForgotten) {}

    private final SqlFile leaving = SqlFile.of("deliver/leaving-copies");
    private final SqlFile forget = SqlFile.of("deliver/forget-copy");
    private final SqlFile takeTurn = SqlFile.of("queue/take-turn");
    private final Transactions transactions;

    LeavingCopies(Transactions transactions) {
        this.transactions = transactions;
    }

    /**
     * Deletes one batch, between the turns.
     *
     * @return whether there may be more
     */
    boolean forget(List<Copies.Family> families) throws SQLException {
        Optional<List<Left>> left = transactions.audited(connection -> forgetSome(connection, families));
        left.orElse(List.of()).forEach(LeavingCopies::say);
        return left.isEmpty() || left.get().stream().anyMatch(each -> each.tags() + each.letters() > 0);
    }

    /** @return empty if another instance has the turn */
    private Optional<List<Left>> forgetSome(Connection connection, List<Copies.Family> families) throws SQLException {
        if (!takeTurn.row(connection, Map.of(), Boolean.class)) {
            return Optional.empty();
        }
        List<Left> left = new ArrayList<>();
        Map<String, String> served = Map.of("families", Json.text(families));
        for (Leaving copy : leaving.rows(connection, served, Leaving.class)) {
            List<String> heirs = families.stream()
                    .filter(family -> family.parent().equals(copy.parent()))
                    .flatMap(family -> family.serves().stream())
                    .toList();
            Which which = new Which(copy.name(), heirs, copy.isGone(), why(copy.isGone()), FORGET_TAGS);
            Forgotten done = forget.row(connection, which, Forgotten.class);
            left.add(new Left(copy.name(), copy.isGone(), done.tags(), done.letters(), done.isForgotten()));
        }
        return Optional.of(left);
    }

    private static String why(boolean isGone) {
        return isGone
                ? "its address has been gone from DNS for a minute"
                : "its address is not listed any more: the others are owed what it was owed";
    }

    private static void say(Left each) {
        if (each.tags() + each.letters() > 0) {
            LOG.info(
                    "{}: {}; {} tags and {} dead letters {}",
                    each.name(),
                    why(each.isGone()),
                    each.tags(),
                    each.letters(),
                    each.isGone() ? "are dropped" : "are handed on");
        }
        if (each.isForgotten()) {
            LOG.info("Target {} is forgotten: {}", each.name(), why(each.isGone()));
        }
    }
}
