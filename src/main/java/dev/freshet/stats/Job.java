package dev.freshet.stats;

/**
 * One attempt at a job, claimed under a lease. Whatever it writes names the attempt, so that an older one writes
 * nothing.
 */
public record Job(String id, int attempt, String tenant, String triggeredBy, String request) {
    /** For the statements that are about this attempt only. */
    record Attempt(String job, int attempt) {}

    Attempt itself() {
        return new Attempt(id, attempt);
    }

    /** What the batch target is told about who sent it. */
    public String source() {
        return "job-" + (triggeredBy == null || triggeredBy.isBlank() ? "admin" : triggeredBy);
    }

    /** A job that was queued by plain SQL has no request of its own. */
    public String requestId() {
        return request == null || request.isBlank() ? id : request;
    }
}
