package dev.freshet.stats;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.freshet.database.Json;
import dev.freshet.deliver.CallFailure;
import dev.freshet.deliver.PartialAnswer;
import dev.freshet.deliver.policy.Policy;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.http.base.HttpOperationFailedException;

/**
 * The tags that a job has made stale, on their way to the batch target: they are sent in one call. Tags that the target
 * does not accept are tried again, and finally become owed to it.
 */
public final class Refresh {
    /** The target answered 2xx, but not for all tags. */
    public static final class SomeFailed extends Exception {
        private static final long serialVersionUID = 1L;

        SomeFailed(int status, int tags) {
            super("HTTP " + status + ", and the answer says that " + tags
                    + (tags == 1 ? " tag failed" : " tags failed"));
        }
    }

    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    record RefreshResult(boolean cacheInvalidationSuccess, RefreshReport cacheInvalidation) {}

    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record RefreshReport(
            String outcome, int tries, List<String> deliveredTags, List<String> failedTags, String error) {}

    /**
     * What is recorded when the job ends.
     *
     * @param refresh for the job's results, as JSON
     * @param owed the tags that the target still has to be told
     */
    record SoFar(
            String refresh,
            List<String> delivered,
            List<String> owed,
            Integer lastStatus,
            String lastError,
            Timestamp askedAt) {}

    private final Job job;
    private final boolean hasTarget;
    private final List<String> delivered = new ArrayList<>();
    private final Timestamp askedAt;
    private final String profile;
    private List<String> left;
    private int tries;
    private Integer lastStatus;
    private String lastError;

    /**
     * @param askedAt by the database's clock, before the first call
     * @param profile the profile of all the tags; null: they have none, or different ones
     */
    Refresh(Job job, List<String> tags, Timestamp askedAt, String profile, boolean hasTarget) {
        this.job = job;
        this.left = tags;
        this.askedAt = askedAt;
        this.profile = profile;
        this.hasTarget = hasTarget;
    }

    public boolean isNeeded() {
        return hasTarget && !left.isEmpty();
    }

    /**
     * The body of the next attempt. It is a map, like the bodies of the queue's calls, because the target's route may
     * be edited by operators.
     */
    public Map<String, Object> nextTry() {
        tries++;
        Map<String, Object> batch = new LinkedHashMap<>();
        batch.put("tags", left);
        batch.put("source", job.source());
        batch.put("requestId", job.requestId());
        if (profile != null) {
            batch.put("profile", Policy.inBody(profile));
        }
        return batch;
    }

    void answered(int status, String body) throws SomeFailed {
        Set<String> failed = PartialAnswer.of(status, body).failedOf(left);
        left.stream().filter(tag -> !failed.contains(tag)).forEach(delivered::add);
        left = left.stream().filter(failed::contains).toList();
        lastStatus = status;
        if (!left.isEmpty()) {
            throw new SomeFailed(status, left.size());
        }
    }

    void gaveUp(Exception failure) {
        if (failure instanceof HttpOperationFailedException answer) {
            lastStatus = answer.getStatusCode();
            lastError = "HTTP " + lastStatus;
        } else {
            lastError = CallFailure.reason(failure);
        }
    }

    SoFar soFar() {
        RefreshReport report = new RefreshReport(outcome(), tries, delivered, left, lastError);
        return new SoFar(
                Json.text(new RefreshResult(left.isEmpty(), report)),
                delivered,
                hasTarget ? left : List.of(),
                lastStatus,
                lastError,
                askedAt);
    }

    private String outcome() {
        if (left.isEmpty()) {
            return delivered.isEmpty() ? "nothing to refresh" : "done";
        }
        return hasTarget
                ? "not yet: tried again until it succeeds"
                : "skipped: no batch target is set (CACHE_INVALIDATION_URL or NEXT_PUBLIC_APP_URL)";
    }
}
