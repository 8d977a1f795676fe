package dev.freshet.deliver;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * What became of one tag at one target, as settle.sql reads it.
 *
 * @param late true if it was delivered, but not at the first attempt, or if it had been owed for so long that targets
 *     that follow this one may not have waited for it; null otherwise
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Outcome(
        String target,
        String tag,
        String lease,
        Result result,
        Integer status,
        String error,
        Double retryAfterSeconds,
        String call,
        int company,
        Boolean late) {
    public enum Result {
        delivered,
        failed,
        refused,
        halve,
        returned
    }

    Outcome withoutError() {
        return new Outcome(
                target,
                tag,
                lease,
                result,
                status,
                "the error could not be stored",
                retryAfterSeconds,
                null,
                company,
                late);
    }
}
