package dev.freshet;

/** Who begins work by itself: told before the routes stop, so that nothing new begins while they do. */
public interface StopsEarly {
    void stop();
}
