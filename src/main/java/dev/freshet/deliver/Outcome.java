package dev.freshet.deliver;

import com.fasterxml.jackson.annotation.JsonInclude;

/** What became of one tag at one target, as settle.sql reads it. */
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
        int company) {
    public enum Result {
        delivered,
        failed,
        refused,
        halve,
        returned
    }

    Outcome withoutError() {
        return new Outcome(
                target, tag, lease, result, status, "the error could not be stored", retryAfterSeconds, null, company);
    }
}
