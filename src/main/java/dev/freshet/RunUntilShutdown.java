package dev.freshet;

import java.lang.reflect.Proxy;
import java.util.List;
import org.apache.camel.main.Main;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs Camel until SIGTERM and makes sure that the process ends: in order, in time, and with an exit code that says how. */
final class RunUntilShutdown {
    private static final Logger LOG = LoggerFactory.getLogger(Freshet.class);
    private static final int GIVE_UP_AFTER_SECONDS = 18;

    private final Main main;
    private final StartUp startUp;

    RunUntilShutdown(Main main, StartUp startUp) {
        this.main = main;
        this.startUp = startUp;
    }

    int run(String[] args) {
        main.setPropertyPlaceholderLocations(StartUp.PROPERTIES);
        main.addMainListener(startUp);
        stopOnSignals();
        try {
            main.run(args);
            startUp.throwLateRefusal();
            return 0;
        } catch (Throwable failure) {
            return sayWhy(failure);
        } finally {
            haltIfItTakesTooLong();
            stopWhatHasStarted();
        }
    }

    /**
     * The JVM's own answer to SIGTERM would be exit code 143, with all shutdown hooks at once. By reflection: javac warns about the class
     * whatever one does, and a JVM without it still stops, only less politely.
     */
    private void stopOnSignals() {
        for (String name : List.of("TERM", "INT")) {
            try {
                Class<?> type = Class.forName("sun.misc.Signal");
                Class<?> handler = Class.forName("sun.misc.SignalHandler");
                Object stop = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                    LOG.info("Freshet is stopping (SIG{})", name);
                    haltIfItTakesTooLong();
                    main.completed();
                    return null;
                });
                type.getMethod("handle", type, handler).invoke(null, type.getConstructor(String.class).newInstance(name), stop);
            } catch (ReflectiveOperationException e) {
                LOG.debug("No handler for SIG{}", name, e);
            }
        }
    }

    private static int sayWhy(Throwable failure) {
        Refusal refusal = Refusal.in(failure);
        if (refusal != null) {
            LOG.error("{}", refusal.getMessage());
            return refusal.exitCode();
        }
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String why = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        LOG.error("Freshet could not start: {}", why.strip().replaceAll("\\s*\\R\\s*", " "));
        LOG.debug("Freshet could not start", failure);
        return 1;
    }

    private void stopWhatHasStarted() {
        try {
            main.stop();
        } catch (Exception e) {
            LOG.warn("Camel did not stop cleanly: {}", e.toString());
        }
        startUp.close();
    }

    /** Nothing is lost by halting: what is in flight is leased in the database. But a process that does not end is killed by its supervisor. */
    private static void haltIfItTakesTooLong() {
        Thread guard = new Thread(() -> {
            try {
                Thread.sleep(GIVE_UP_AFTER_SECONDS * 1000L);
                LOG.warn("Stopping took longer than {} s; what is still in flight will be picked up after its lease", GIVE_UP_AFTER_SECONDS);
                Runtime.getRuntime().halt(0);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "stop-in-time");
        guard.setDaemon(true);
        guard.start();
    }
}
