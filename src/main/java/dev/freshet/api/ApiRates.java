package dev.freshet.api;

import java.util.function.ToLongFunction;

/**
 * How much one caller may send.
 *
 * @param rate seconds that this client address must wait before its next request; 0 admits it
 */
public record ApiRates(long bodyBytes, long invalidateBodyBytes, ToLongFunction<String> rate) {

    public static final ApiRates DEFAULT = new ApiRates(1 << 20, 16 << 20, client -> 0);
}
