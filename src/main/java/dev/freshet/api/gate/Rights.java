package dev.freshet.api.gate;

import static dev.freshet.api.Keys.Right.FULL;
import static dev.freshet.api.Keys.Right.LIVE;
import static dev.freshet.api.Keys.Right.READ;
import static dev.freshet.api.Keys.Right.RUN;

import dev.freshet.api.Keys;
import dev.freshet.api.Keys.Right;
import dev.freshet.api.Problem;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Defines who may do what. */
final class Rights {

    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD);
    private static final Set<HttpMethod> POST = Set.of(HttpMethod.POST);
    private static final Set<HttpMethod> ANY = Set.of();

    /**
     * The first row whose method and path match names the right that is needed. A path without a right is open to
     * everyone.
     */
    private static final List<Door> DOORS = List.of(
            door(READING, "/openapi.json"),
            door(READING, "/admin/info"),
            door(READING, "/admin/assets/*"),
            door(READING, "/demo"),
            door(READING, "/demo/assets/*"),
            door(READING, "/client/*"),
            door(READING, "/observe/health"),
            door(READING, "/observe/health/*"),
            door(READING, "/live/*", LIVE, READ, FULL),
            door(READING, "*", READ, FULL),
            door(POST, "/functions/v1/cache-invalidation-worker", RUN, FULL),
            door(ANY, "*", FULL));

    private static final String MAY_CHANGE = "freshet.may-change";

    private record Door(Set<HttpMethod> methods, String path, Set<Right> keys) {
        boolean leadsTo(HttpMethod method, String asked) {
            return (methods == ANY || methods.contains(method))
                    && (path.endsWith("*")
                            ? asked.startsWith(path.substring(0, path.length() - 1))
                            : asked.equals(path));
        }

        boolean opensTo(Set<Right> rights) {
            return rights.stream().anyMatch(keys::contains);
        }
    }

    private final Keys keys;

    Rights(Keys keys) {
        this.keys = keys;
    }

    Optional<Problem> judge(RoutingContext ctx) {
        ctx.put(MAY_CHANGE, keys.areMissing());
        if (CrossOriginSharing.isPreflight(ctx)) {
            return Optional.empty();
        }
        Door door = doorTo(ctx);
        boolean live = door.keys().contains(LIVE);
        if (door.keys().isEmpty() || (live ? !keys.isConfigured(LIVE) : keys.areMissing())) {
            return Optional.empty();
        }
        Credentials shown = Credentials.inHeaders(ctx, keys);
        if (live) {
            shown = shown.withLiveKeyInQuery(ctx, keys);
        }
        ctx.put(MAY_CHANGE, keys.areMissing() || shown.rights().contains(FULL));
        return door.opensTo(shown.rights()) ? judgeForce(ctx, door, shown.rights()) : Optional.of(closedTo(shown));
    }

    static boolean mayChange(RoutingContext ctx) {
        return Boolean.TRUE.equals(ctx.get(MAY_CHANGE));
    }

    private static Door doorTo(RoutingContext ctx) {
        HttpMethod method = ctx.request().method();
        String path = Paths.clear(ctx.request().path());
        return DOORS.stream()
                .filter(door -> door.leadsTo(method, path))
                .findFirst()
                .orElseThrow();
    }

    private static Optional<Problem> judgeForce(RoutingContext ctx, Door door, Set<Right> rights) {
        return door.keys().contains(RUN)
                        && !rights.contains(FULL)
                        && ctx.queryParams().getAll("force").stream().anyMatch(force -> !force.isEmpty())
                ? Optional.of(Problem.of(403, "force: this key may run the queue without force only"))
                : Optional.empty();
    }

    private static Problem closedTo(Credentials shown) {
        if (shown.rights().isEmpty()) {
            return Problem.of(
                            401,
                            shown.any()
                                    ? "the key is not known"
                                    : "a key is required: Authorization: Bearer KEY, or x-api-key: KEY")
                    .withHeader("WWW-Authenticate", "Bearer");
        }
        return Problem.of(403, shown.rights().contains(READ) ? "this key may read only" : "this key may not do that");
    }

    private static Door door(Set<HttpMethod> methods, String path, Right... keys) {
        return new Door(methods, path, Set.of(keys));
    }
}
