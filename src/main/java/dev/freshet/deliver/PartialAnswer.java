package dev.freshet.deliver;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Handles a 2xx that may not apply to every tag: a 207, or {@code "success": false}, with {@code "failed_tags": [...]}.
 * Tags that such an answer leaves open count as failed: calling a tag twice is harmless, missing one is not.
 */
public final class PartialAnswer {
    private static final int MULTI_STATUS = 207;
    private static final JsonFactory JSON = new JsonFactory();

    private final boolean multiStatus;
    private Boolean success;
    private Set<String> named;

    private PartialAnswer(boolean multiStatus) {
        this.multiStatus = multiStatus;
    }

    /** @param body as much as was read of it; anything but a JSON object is ignored */
    public static PartialAnswer of(int status, String body) {
        PartialAnswer answer = new PartialAnswer(status == MULTI_STATUS);
        if (body != null && !body.isBlank()) {
            try (JsonParser json = JSON.createParser(body)) {
                answer.read(json);
            } catch (IOException e) {
                // not JSON, or truncated: what was read before counts
            }
        }
        return answer;
    }

    /** Which of these tags failed: those that the answer names, or all if it only says that some did. */
    public Set<String> failedOf(Collection<String> tags) {
        Set<String> failed = new HashSet<>(tags);
        failed.retainAll(named == null ? Set.of() : named);
        boolean saysWhich = !failed.isEmpty() || named != null && named.isEmpty() && !Boolean.FALSE.equals(success);
        if (saysWhich) {
            return failed;
        }
        boolean saysThatSomeDid = Boolean.FALSE.equals(success) || named != null || multiStatus && success == null;
        return saysThatSomeDid ? new HashSet<>(tags) : Set.of();
    }

    private void read(JsonParser json) throws IOException {
        if (json.nextToken() != JsonToken.START_OBJECT) {
            return;
        }
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String field = json.currentName();
            JsonToken value = json.nextToken();
            if (field.equals("success")) {
                success = value == JsonToken.VALUE_TRUE
                        ? Boolean.TRUE
                        : value == JsonToken.VALUE_FALSE ? Boolean.FALSE : null;
                json.skipChildren();
            } else if (field.equals("failed_tags") && value == JsonToken.START_ARRAY) {
                named = strings(json);
            } else {
                json.skipChildren();
            }
        }
    }

    private static Set<String> strings(JsonParser json) throws IOException {
        Set<String> strings = new HashSet<>();
        for (JsonToken token = json.nextToken(); token != JsonToken.END_ARRAY; token = json.nextToken()) {
            if (token == JsonToken.VALUE_STRING) {
                strings.add(json.getText());
            } else {
                json.skipChildren();
            }
            if (token == null) {
                throw new IOException("cut off");
            }
        }
        return strings;
    }
}
