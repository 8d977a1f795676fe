package dev.freshet.deliver.policy;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.freshet.database.Json;

/**
 * How the calls for a tag are made.
 *
 * @param pattern         what it was made for; empty: no policy, and everything as the settings say
 * @param profile         null: bodies say nothing of it
 * @param priority        0 to 9: higher goes first
 * @param debounceSeconds null: FRESHET_DEBOUNCE
 */
public record Policy(String pattern, String profile, int priority, boolean atOnce, Double debounceSeconds) {
    private static final int USUAL = 5;
    public static final Policy NONE = new Policy("", null, USUAL, false, null);

    /** A name as text, an object as that object. */
    public static Object inBody(String profile) {
        return profile.stripLeading().startsWith("{") ? Json.value(profile, new TypeReference<Object>() {}) : profile;
    }

    /** It goes before what has no policy. */
    public boolean isUrgent() {
        return priority > USUAL;
    }

    /** How far above what has no policy; below it where negative. */
    public int aboveUsual() {
        return priority - USUAL;
    }

    /** How soon after a change its call may have to begin. */
    double soonestSeconds() {
        return atOnce ? 0 : debounceSeconds == null ? Double.MAX_VALUE : debounceSeconds;
    }
}
