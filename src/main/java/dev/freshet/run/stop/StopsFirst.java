package dev.freshet.run.stop;

/** Who begins work by itself: told before the routes stop, so that nothing new begins while they do. */
public interface StopsFirst {
    void stop();
}
