package dev.freshet.deliver.policy;

import com.fasterxml.jackson.core.type.TypeReference;
import dev.freshet.database.Json;

/**
 * How the calls for a tag are made.
 *
 * @param pattern the pattern that the policy was set for; empty: no policy, so the settings apply
 * @param profile null: bodies do not mention one
 * @param priority 0 to 9: higher goes first
 * @param debounceSeconds null: FRESHET_DEBOUNCE
 */
public record Policy(String pattern, String profile, int priority, boolean atOnce, Double debounceSeconds) {
    private static final int USUAL = 5;
    public static final Policy NONE = new Policy("", null, USUAL, false, null);

    /** A name as text, an object as that object. */
    public static Object inBody(String profile) {
        return profile.stripLeading().startsWith("{") ? Json.value(profile, new TypeReference<Object>() {}) : profile;
    }

    /** Tags with this policy go before those without one. */
    public boolean isUrgent() {
        return priority > USUAL;
    }

    /** How far its priority is above that of tags without a policy; negative if below. */
    public int aboveUsual() {
        return priority - USUAL;
    }

    /** How soon after a change its call may have to begin. */
    double soonestSeconds() {
        return atOnce ? 0 : debounceSeconds == null ? Double.MAX_VALUE : debounceSeconds;
    }
}
