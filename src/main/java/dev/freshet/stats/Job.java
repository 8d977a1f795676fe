package dev.freshet.stats;

/**
 * One attempt at a job, claimed under a lease. Everything it writes names the attempt, so an outdated attempt writes
 * nothing.
 */
public record Job(String id, int attempt, String tenant, String triggeredBy, String request) {
    /** For statements that concern this attempt only. */
    record Attempt(String job, int attempt) {}

    Attempt itself() {
        return new Attempt(id, attempt);
    }

    /** The source as the batch target is told. */
    public String source() {
        return "job-" + (triggeredBy == null || triggeredBy.isBlank() ? "admin" : triggeredBy);
    }

    /** A job that was queued by plain SQL has no request id of its own. */
    public String requestId() {
        return request == null || request.isBlank() ? id : request;
    }
}
