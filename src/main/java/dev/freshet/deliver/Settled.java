package dev.freshet.deliver;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What a settlement changed besides the deliveries themselves.
 *
 * @param breakers by target, whether its breaker is open now; only those that changed
 * @param dueAgain targets that have something due at once: newer changes, or tags that were given back
 */
public record Settled(Map<String, Boolean> breakers, Set<String> dueAgain) {
    static final Settled NOTHING = new Settled(Map.of(), Set.of());

    Settled and(Settled other) {
        Map<String, Boolean> allBreakers = new HashMap<>(breakers);
        allBreakers.putAll(other.breakers);
        Set<String> allDue = new HashSet<>(dueAgain);
        allDue.addAll(other.dueAgain);
        return new Settled(allBreakers, allDue);
    }
}
