package dev.freshet.deliver;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import dev.freshet.run.routes.FeedsRoutes;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers in the database the targets that this instance's files declare. This happens before the first turn, so that
 * nothing is handed over without them. Freshet forgets a target only if its file was deleted while an instance ran, and
 * no instance has served it for a minute since.
 */
public final class Targets implements FeedsRoutes {
    private static final Logger LOG = LoggerFactory.getLogger(Targets.class);
    private static final String PREFIX = Lanes.ROUTE_PREFIX;
    /** Few enough that nobody waits long for the transaction that forgets them. */
    private static final int FORGET_TAGS = 1_000;

    /** Far below the minute after which a target that nobody serves may be forgotten. */
    private static final long REGISTER_EVERY_NANOS = 5_000_000_000L;
    /** How often DNS's answers are read if a target has copies. */
    private static final long LOOK_AT_COPIES_NANOS = 500_000_000L;

    private static final long LOOK_FOR_LEAVING_NANOS = 10_000_000_000L;

    private record Declared(String name, boolean takesQueue, int batch, String after) {}

    private record Leaving(String name, int limit) {}

    private record Left(int deadLetters, boolean isForgotten) {}

    private record Forgotten(String target, int deadLetters, boolean isForgotten) {}

    private final SqlFile register = SqlFile.of("deliver/register-target");
    private final SqlFile wasDeleted = SqlFile.of("deliver/target-was-deleted");
    private final SqlFile isThere = SqlFile.of("deliver/target-is-there");
    private final SqlFile takeTurn = SqlFile.of("queue/take-turn");
    private final SqlFile leaving = SqlFile.of("deliver/leaving-targets");
    private final SqlFile forget = SqlFile.of("deliver/forget-target");
    private final Set<String> deleted = ConcurrentHashMap.newKeySet();
    /** Routes that are being replaced: for a while such a route, or its bean, does not exist. */
    private final Set<String> onHold = ConcurrentHashMap.newKeySet();

    private final CamelContext context;
    private final Transactions transactions;
    private final Lanes lanes;
    private final Copies copies;
    private final LeavingCopies leavingCopies;
    private final List<Copies.Family> families = new ArrayList<>();
    private long lookForLeavingAt = System.nanoTime();
    private volatile Map<String, Boolean> registered = Map.of();
    private long registeredAt;
    private boolean hasCopies;

    public Targets(CamelContext context, Transactions transactions, Lanes lanes, HostNames names) {
        this.copies = new Copies(names, transactions, lanes);
        this.leavingCopies = new LeavingCopies(transactions);
        this.context = context;
        this.transactions = transactions;
        this.lanes = lanes;
    }

    /** Called before each turn. */
    public synchronized void register() throws SQLException {
        sayWhatWasDeleted();
        Map<String, Boolean> routes = targetRoutes();
        long every = hasCopies ? LOOK_AT_COPIES_NANOS : REGISTER_EVERY_NANOS;
        if (routes.equals(registered) && System.nanoTime() - registeredAt < every) {
            return; // no instance forgets a target that was served a moment ago
        }
        List<String> silent = new ArrayList<>();
        onHold.forEach(id -> silent.add(id.substring(PREFIX.length())));
        families.clear();
        hasCopies = false;
        for (Map.Entry<String, Boolean> route : routes.entrySet()) {
            Target target = TargetOfRoute.of(context.getRoute(route.getKey()), context.getRegistry());
            if (route.getValue()) {
                register(target);
            } else {
                silent.add(target.getName());
            }
        }
        registered = routes;
        registeredAt = System.nanoTime();
        if (copies.takeFirstAnswer() || System.nanoTime() - lookForLeavingAt >= 0) {
            keep(silent);
            forgetWhatIsLeaving();
        }
    }

    /** Each target's route, and whether it has started. */
    private Map<String, Boolean> targetRoutes() {
        Map<String, Boolean> routes = new TreeMap<>();
        for (Route route : context.getRoutes()) {
            String id = route.getRouteId();
            if (id.startsWith(PREFIX) && !onHold.contains(id)) {
                routes.put(id, context.getRouteController().getRouteStatus(id) == ServiceStatus.Started);
            }
        }
        return routes;
    }

    private void register(Target target) throws SQLException {
        if (target.hasCopies()) {
            hasCopies = true;
            families.add(copies.serve(target));
            return;
        }
        Declared declared = new Declared(target.getName(), target.isTakesQueue(), target.getBatch(), target.getAfter());
        // one statement by itself: a process that is stopped here holds no locks
        if (!transactions.inOne(c -> register.row(c, declared, Boolean.class))) {
            throw new SQLException("Target " + target.getName()
                    + " is back while it is being forgotten: the next turn knows it again");
        }
        lanes.serve(target);
        lanes.keepOnly(target.getName(), List.of(target.getName()));
        families.add(new Copies.Family(target.getName(), List.of(target.getName()), List.of()));
    }

    /** Waits for a registration that reads the route at this moment. */
    @Override
    public synchronized void hold(String route) {
        onHold.add(route);
    }

    @Override
    public void resume(String route) {
        registered = Map.of();
        onHold.remove(route);
    }

    /** The file of a target that is served was edited: what it now says of the target takes effect with the route. */
    @Override
    public void renewed(String route) {
        if (route.startsWith(PREFIX)) {
            registered = Map.of();
            lanes.renew(TargetOfRoute.of(context.getRoute(route), context.getRegistry()));
        }
    }

    @Override
    public void gone(String route, boolean withItsFile) {
        registered = Map.of();
        if (route.startsWith(PREFIX) && withItsFile) {
            deleted.add(route.substring(PREFIX.length()));
        }
    }

    private void keep(List<String> silent) throws SQLException {
        if (!silent.isEmpty()) {
            transactions.inOne(c -> isThere.update(c, Map.of("names", silent)));
        }
    }

    private void sayWhatWasDeleted() throws SQLException {
        for (String name : List.copyOf(deleted)) {
            boolean isBack = context.getRoute(PREFIX + name) != null;
            if (!isBack && transactions.inOne(c -> wasDeleted.update(c, Map.of("name", name))) > 0) {
                LOG.info(
                        "Target {} is not served here any more: its file was deleted. What it is owed waits for the"
                                + " file, or for another instance that serves it, for a minute; then it becomes dead"
                                + " letters",
                        name);
            }
            deleted.remove(name);
        }
    }

    /** One batch at a time, between turns, so that no turn waits long. The database records the progress. */
    private void forgetWhatIsLeaving() {
        try {
            Optional<List<Forgotten>> forgotten = transactions.audited(this::forgetSome);
            boolean hasMoreCopies = leavingCopies.forget(families);
            if (forgotten.isPresent() && forgotten.get().isEmpty() && !hasMoreCopies) {
                lookForLeavingAt = System.nanoTime() + LOOK_FOR_LEAVING_NANOS;
            }
            forgotten.orElse(List.of()).forEach(Targets::say);
        } catch (SQLException e) { // no reason to hold up the turn
            lookForLeavingAt = System.nanoTime() + LOOK_FOR_LEAVING_NANOS;
            LOG.warn("A target that is to be forgotten could not be yet: {}", e.getMessage());
        }
    }

    private static void say(Forgotten each) {
        if (each.deadLetters() > 0) {
            LOG.warn(
                    "The file of target {} was deleted: {} tags that it was owed are dead letters now",
                    each.target(),
                    each.deadLetters());
        }
        if (each.isForgotten()) {
            LOG.info("Target {} is forgotten", each.target());
        }
    }

    /** @return empty if another instance has the turn */
    private Optional<List<Forgotten>> forgetSome(Connection connection) throws SQLException {
        if (!takeTurn.row(connection, Map.of(), Boolean.class)) {
            return Optional.empty();
        }
        List<Forgotten> forgotten = new ArrayList<>();
        for (String name : leaving.rows(connection, Map.of(), String.class)) {
            Left left = forget.row(connection, new Leaving(name, FORGET_TAGS), Left.class);
            forgotten.add(new Forgotten(name, left.deadLetters(), left.isForgotten()));
        }
        return Optional.of(forgotten);
    }
}
