package dev.freshet.run;

import dev.freshet.settings.CannotStart;
import org.apache.camel.main.Main;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs Camel until SIGTERM and makes sure that the process ends: in order, in time, and with an exit code that tells
 * the reason.
 */
public final class RunUntilShutdown {
    private static final Logger LOG = LoggerFactory.getLogger("dev.freshet.Freshet");

    private final Main main;
    private final StartUp startUp;

    public RunUntilShutdown(Main main, StartUp startUp) {
        this.main = main;
        this.startUp = startUp;
    }

    public int run(String[] args) {
        main.setPropertyPlaceholderLocations(StartUp.PROPERTIES);
        main.addMainListener(startUp);
        StopInTime.onSignals(main);
        try {
            main.run(args);
            startUp.throwLateRefusal();
            return 0;
        } catch (Throwable failure) {
            return sayWhy(failure);
        } finally {
            StopInTime.orHalt();
            stopWhatHasStarted();
        }
    }

    /**
     * Logs the reason on one line.
     *
     * @return the exit code
     */
    static int sayWhy(Throwable failure) {
        CannotStart refusal = CannotStart.in(failure);
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
}
