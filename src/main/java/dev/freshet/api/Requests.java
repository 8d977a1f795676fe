package dev.freshet.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;

/** Bodies of requests, read strictly. */
public final class Requests {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** @return the body as an object; an absent one is empty */
    @SuppressWarnings("unchecked")
    public Map<String, Object> object(String body) throws JsonProcessingException {
        if (body == null || body.isBlank()) {
            return Map.of();
        }
        JsonNode node = JSON.readTree(body);
        if (!node.isObject()) {
            throw new Refused(400, "body: must be a JSON object");
        }
        refuseNul(node, "body");
        return JSON.convertValue(node, Map.class);
    }

    /** PostgreSQL has no such character, in no text and no JSON. */
    private static void refuseNul(JsonNode node, String where) {
        if (node.isTextual() && node.textValue().indexOf(0) >= 0) {
            throw new Refused(400, where + ": must not contain the character NUL (\\u0000)");
        }
        node.fields().forEachRemaining(field -> {
            if (field.getKey().indexOf(0) >= 0) {
                throw new Refused(400, where + ": a name must not contain the character NUL (\\u0000)");
            }
            refuseNul(field.getValue(), field.getKey());
        });
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            refuseNul(node.get(i), where + "[" + i + "]");
        }
    }
}
