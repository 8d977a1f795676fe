package dev.freshet.run.log;

import java.util.Map;
import org.slf4j.MDC;

/**
 * Ids by which a line of the log is found, as fields of their own where lines are JSON: request, call, handover, job.
 */
public final class LogIds {
    private LogIds() {}

    public static void with(Map<String, String> ids, Runnable say) {
        ids.forEach(MDC::put);
        try {
            say.run();
        } finally {
            ids.keySet().forEach(MDC::remove);
        }
    }
}
