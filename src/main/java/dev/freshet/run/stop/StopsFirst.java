package dev.freshet.run.stop;

/**
 * For beans that start work by themselves. They are told before the routes stop, so that no new work begins meanwhile.
 */
public interface StopsFirst {
    void stop();
}
