package dev.freshet.deliver;

import dev.freshet.source.SqlFile;
import dev.freshet.source.Transactions;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.spi.Resource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the database know the targets that this instance's files declare: before the first turn, so that nothing is handed over
 * without them. A target leaves only when its file is deleted under a running instance; one that is absent, broken or stopped is owed.
 */
public final class Targets {
    private static final Logger LOG = LoggerFactory.getLogger(Targets.class);
    private static final String PREFIX = Lanes.ROUTE_PREFIX;

    private final SqlFile register = SqlFile.of("register-target");
    private final SqlFile waitForTurn = SqlFile.of("wait-for-turn");
    private final SqlFile forget = SqlFile.of("forget-target");
    private final Map<String, Resource> files = new HashMap<>();
    private final Set<String> leaving = ConcurrentHashMap.newKeySet();
    private final CamelContext context;
    private final Transactions transactions;
    private final Lanes lanes;

    public Targets(CamelContext context, Transactions transactions, Lanes lanes) {
        this.context = context;
        this.transactions = transactions;
        this.lanes = lanes;
    }

    public synchronized void register() throws Exception {
        forgetWhatWasDeleted();
        Map<String, Target> declared = new HashMap<>();
        context.getRegistry().findByType(Target.class).forEach(target -> declared.put(target.getName(), target));
        for (Route route : context.getRoutes()) {
            ServiceStatus status = context.getRouteController().getRouteStatus(route.getRouteId());
            String name = route.getRouteId().startsWith(PREFIX) ? route.getRouteId().substring(PREFIX.length()) : null;
            if (name != null && !leaving.contains(name) && status == ServiceStatus.Started) {
                Target target = declared.computeIfAbsent(name, Targets::withDefaults);
                transactions.in(c -> register.update(c, Map.of("name", name, "takesQueue", target.isTakesQueue(), "batch", target.getBatch())));
                if (files.put(name, route.getSourceResource()) == null) {
                    lanes.serve(target);
                }
            }
        }
    }

    private static Target withDefaults(String name) {
        Target target = new Target();
        target.setName(name);
        return target;
    }

    private void forgetWhatWasDeleted() throws SQLException {
        Set<String> deleted = new HashSet<>();
        files.forEach((name, file) -> {
            if (file != null && !file.exists()) {
                deleted.add(name);
            }
        });
        for (String name : deleted) {
            forget(name);
            Resource file = files.remove(name);
            leaving.add(name);
            context.getExecutorServiceManager().newThread("forget-" + name, () -> remove(name)).start();
            LOG.info("Target {} is gone with its file {}; what it was owed is dropped", name, file.getLocation());
        }
    }

    /** On a thread of its own: it waits for calls in flight, and the turn of the other targets must not. */
    private void remove(String name) {
        try {
            context.getRouteController().stopRoute(PREFIX + name);
            context.removeRoute(PREFIX + name);
            leaving.remove(name);
        } catch (Exception e) {
            LOG.warn("The route of target {} could not be removed: {}", name, e.toString());
        }
    }

    private void forget(String name) throws SQLException {
        lanes.leave(name);
        transactions.in(c -> {
            waitForTurn.rows(c, Map.of());
            return forget.update(c, Map.of("name", name));
        });
    }
}
