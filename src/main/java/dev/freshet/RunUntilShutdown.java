package dev.freshet;

import java.util.List;
import org.apache.camel.main.Main;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

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
        // the first one that has a key wins
        main.setPropertyPlaceholderLocations("file:application.properties;optional=true,classpath:application.properties;optional=true");
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

    /** The JVM's own answer to SIGTERM would be exit code 143, with all shutdown hooks at once. */
    @SuppressWarnings("sunapi")
    private void stopOnSignals() {
        for (String name : List.of("TERM", "INT")) {
            Signal.handle(new Signal(name), signal -> {
                LOG.info("Freshet is stopping (SIG{})", signal.getName());
                haltIfItTakesTooLong();
                main.completed();
            });
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
        LOG.error("Freshet could not start: {}", cause.getMessage() == null ? cause.toString() : cause.getMessage());
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
