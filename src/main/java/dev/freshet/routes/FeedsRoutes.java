package dev.freshet.routes;

/** Whoever puts work before a route all the time: asked to wait while the route is replaced, or it would never come to an end. */
public interface FeedsRoutes {
    /** Until {@link #resume}, nothing new; what lies there already may be given back. */
    void hold(String route);

    void resume(String route);
}
