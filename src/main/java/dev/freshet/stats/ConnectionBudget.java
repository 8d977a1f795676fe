package dev.freshet.stats;

import dev.freshet.database.SqlFile;
import dev.freshet.settings.CannotStart;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.camel.CamelContext;
import org.apache.camel.model.Model;
import org.apache.camel.model.MulticastDefinition;
import org.apache.camel.model.RouteDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks that the database accepts as many connections as the functions of all parallel jobs need, besides those of the
 * rest of Freshet.
 */
public final class ConnectionBudget {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionBudget.class);
    private static final String ROUTE = "run-job";

    private final SqlFile limit = SqlFile.of("stats/connection-limit");

    /** @throws CannotStart with the number of connections that is needed */
    public void check(CamelContext context, DataSource database, int jobsAtOnce, int poolSize) {
        int functions = functions(context);
        int needed = functions * jobsAtOnce + poolSize;
        try (Connection connection = database.getConnection()) {
            int allowed = limit.row(connection, Map.of(), Integer.class);
            if (needed > allowed) {
                throw new CannotStart(
                        "The database allows this role " + allowed + " connections, but " + needed + " are needed: "
                                + functions
                                + " functions side by side for FRESHET_STATS_JOBS=" + jobsAtOnce
                                + ", and FRESHET_POOL_SIZE=" + poolSize
                                + " for the rest; raise max_connections (or the role's limit) to at least that, or"
                                + " lower one of the two");
            }
        } catch (SQLException e) {
            LOG.debug("How many connections there may be is not known", e);
        }
    }

    /** The number of function steps in routes/stats.camel.yaml. */
    public static int functions(CamelContext context) {
        RouteDefinition route =
                context.getCamelContextExtension().getContextPlugin(Model.class).getRouteDefinition(ROUTE);
        return route == null
                ? 0
                : route.getOutputs().stream()
                        .filter(MulticastDefinition.class::isInstance)
                        .mapToInt(multicast -> multicast.getOutputs().size())
                        .sum();
    }
}
