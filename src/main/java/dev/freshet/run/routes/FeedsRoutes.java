package dev.freshet.run.routes;

/**
 * Whoever puts work before a route all the time: asked to wait while the route is replaced, or it would never come to
 * an end.
 */
public interface FeedsRoutes {
    /** Until {@link #resume}, nothing new; what lies there already may be given back. */
    default void hold(String route) {}

    /** The route is there as its file says now. Told while it is still on hold. */
    default void renewed(String route) {}

    /**
     * The route is not there any more. Told while it is still on hold.
     *
     * @param withItsFile its file was deleted; otherwise the file is there, and says nothing of the route any more
     */
    default void gone(String route, boolean withItsFile) {}

    default void resume(String route) {}
}
