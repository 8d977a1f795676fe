package dev.freshet.stats;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.deliver.Outcomes;
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
 * A job's stale tags on their way to the batch target: in one call; what it does not take is tried again, and then owed
 * to it.
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

    private static final ObjectMapper JSON = new ObjectMapper();

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
     * @param profile of all the tags; null: they have none, or not all the same
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

    /** The body of the next try. */
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
            lastError = Outcomes.reason(failure);
        }
    }

    List<String> delivered() {
        return delivered;
    }

    /** What the target still has to be told. */
    List<String> owed() {
        return hasTarget ? left : List.of();
    }

    Timestamp askedAt() {
        return askedAt;
    }

    Integer lastStatus() {
        return lastStatus;
    }

    String lastError() {
        return lastError;
    }

    /** What a job's results say of it. */
    String json() {
        Map<String, Object> how = new LinkedHashMap<>();
        String outcome;
        if (left.isEmpty()) {
            outcome = delivered.isEmpty() ? "nothing to refresh" : "done";
        } else {
            outcome = hasTarget
                    ? "not yet: tried again until it succeeds"
                    : "skipped: no batch target is set (CACHE_INVALIDATION_URL or NEXT_PUBLIC_APP_URL)";
        }
        how.put("outcome", outcome);
        how.put("tries", tries);
        how.put("delivered_tags", delivered);
        how.put("failed_tags", left);
        if (lastError != null) {
            how.put("error", lastError);
        }
        try {
            return JSON.writeValueAsString(
                    Map.of("cache_invalidation_success", left.isEmpty(), "cache_invalidation", how));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
