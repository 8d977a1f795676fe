package dev.freshet.stats;

import dev.freshet.api.Problem;
import dev.freshet.api.Refused;
import dev.freshet.settings.Setting;
import java.util.List;
import java.util.Map;

/** A caller's request to queue a job, validated strictly. */
record JobRequest(Trigger trigger, String requestId, String tenant) {
    /** What may queue jobs: the flag that switches it off, and the priority of its jobs. */
    enum Trigger {
        ADMIN("admin", Setting.JOBS_ADMIN, 1),
        CRON("cron", Setting.JOBS_CRON, 1),
        POST_MATCH("post-match", Setting.JOBS_MATCH, 2);

        final String word;
        final Setting flag;
        final int priority;

        Trigger(String word, Setting flag, int priority) {
            this.word = word;
            this.flag = flag;
            this.priority = priority;
        }

        private static Trigger of(Object given) {
            for (Trigger trigger : values()) {
                if (trigger.word.equals(given)) {
                    return trigger;
                }
            }
            throw wrong("triggeredBy: " + (given == null ? "is missing; it must be" : "must be")
                    + " \"admin\", \"cron\" or \"post-match\"");
        }
    }

    private static final int LONGEST_ID = 200;

    static JobRequest of(Map<String, Object> body) {
        Trigger trigger = Trigger.of(body.get("triggeredBy"));
        String requestId = requestId(body.get("requestId"));
        for (String field : List.of("matchId", "userId")) {
            Object given = body.get(field);
            if (given != null && !(given instanceof String) && !(given instanceof Number)) {
                throw wrong(field + ": must be a string or a number");
            }
        }
        return new JobRequest(trigger, requestId, tenant(body.get("tenantId")));
    }

    private static String requestId(Object given) {
        if (!(given instanceof String id) || id.isBlank() || id.length() > LONGEST_ID) {
            throw wrong("requestId: must be a string of 1 to " + LONGEST_ID + " characters");
        }
        return id;
    }

    private static String tenant(Object given) {
        if (given == null) {
            return null;
        }
        if (given instanceof String text && text.matches("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")) {
            return text;
        }
        throw wrong("tenantId: must be a UUID");
    }

    private static Refused wrong(String what) {
        return new Refused(Problem.of(400, "Invalid request", what).with("success", false));
    }
}
