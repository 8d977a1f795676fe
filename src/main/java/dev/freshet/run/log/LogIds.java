package dev.freshet.run.log;

import java.util.Map;
import org.slf4j.MDC;

/** Ids by which a log line can be found: request, call, handover, job. In JSON logs they are fields of their own. */
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
