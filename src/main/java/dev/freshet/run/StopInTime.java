package dev.freshet.run;

import java.lang.reflect.Proxy;
import java.util.List;
import org.apache.camel.main.MainSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets SIGTERM and SIGINT end the process in order and in time, with calls in flight finished or handed back. */
final class StopInTime {
    private static final Logger LOG = LoggerFactory.getLogger("dev.freshet.Freshet");
    private static final int GIVE_UP_AFTER_SECONDS = 18;

    /**
     * The JVM's own reaction to SIGTERM is exit code 143, with all shutdown hooks at once. Reflection is used because
     * javac warns about the class in any case. A JVM without the class still stops, but less orderly.
     */
    static void onSignals(MainSupport main) {
        for (String name : List.of("TERM", "INT")) {
            try {
                Class<?> type = Class.forName("sun.misc.Signal");
                Class<?> handler = Class.forName("sun.misc.SignalHandler");
                Object stop = Proxy.newProxyInstance(
                        handler.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                            LOG.info("Freshet is stopping (SIG{})", name);
                            orHalt();
                            main.completed();
                            return null;
                        });
                type.getMethod("handle", type, handler)
                        .invoke(null, type.getConstructor(String.class).newInstance(name), stop);
            } catch (ReflectiveOperationException e) {
                LOG.debug("No handler for SIG{}", name, e);
            }
        }
    }

    /**
     * Halting loses nothing: calls in flight are leased in the database. But a process that does not end would be
     * killed by its supervisor.
     */
    static void orHalt() {
        Thread guard = new Thread(
                () -> {
                    try {
                        Thread.sleep(GIVE_UP_AFTER_SECONDS * 1000L);
                        LOG.warn(
                                "Stopping took longer than {} s; what is still in flight will be picked up after its"
                                        + " lease",
                                GIVE_UP_AFTER_SECONDS);
                        Runtime.getRuntime().halt(0);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "stop-in-time");
        guard.setDaemon(true);
        guard.start();
    }

    private StopInTime() {}
}
