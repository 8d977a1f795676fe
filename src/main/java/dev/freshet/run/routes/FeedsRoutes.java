package dev.freshet.run.routes;

/**
 * Work that is fed to a route continuously. A feeder has to pause while the route is replaced, because the route would
 * otherwise never become idle.
 */
public interface FeedsRoutes {
    /** Stops feeding the route until {@link #resume}. What is already queued may be given back. */
    default void hold(String route) {}

    /** The route now exists as its file states it. Called while the feeder is still on hold. */
    default void renewed(String route) {}

    /**
     * The route no longer exists. Called while the feeder is still on hold.
     *
     * @param withItsFile true if its file was deleted; false if the file exists but no longer contains the route
     */
    default void gone(String route, boolean withItsFile) {}

    default void resume(String route) {}
}
