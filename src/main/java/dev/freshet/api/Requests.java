package dev.freshet.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.CharConversionException;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** Reads the bodies of requests, strictly. */
public final class Requests {
    private static final int DEEPEST = 100;
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEEPEST)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            // values that are kept as JSON come back unchanged
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    /** @return the body as an object; an absent body is an empty object */
    @SuppressWarnings("unchecked")
    public Map<String, Object> object(byte[] body) throws IOException {
        if (body == null || isBlank(body)) {
            return Map.of();
        }
        if (!(read(body) instanceof Map<?, ?> object)) {
            throw new Refused(400, "body: must be a JSON object");
        }
        refuseWhatIsNoText(object, "body");
        return (Map<String, Object>) object;
    }

    private static Object read(byte[] body) throws IOException {
        try {
            return JSON.readValue(body, Object.class);
        } catch (CharConversionException e) {
            throw new Refused(400, "body: must be JSON in UTF-8");
        }
    }

    private static boolean isBlank(byte[] body) {
        for (byte b : body) {
            if (b != ' ' && b != '\n' && b != '\r' && b != '\t') {
                return false;
            }
        }
        return true;
    }

    /** PostgreSQL stores no NUL, in neither text nor JSON, and no lone surrogate. */
    private static void refuseWhatIsNoText(Object value, String where) {
        if (value instanceof String text) {
            refuseWhatIsNoText(text, where);
        } else if (value instanceof Map<?, ?> object) {
            object.forEach((name, child) -> {
                refuseWhatIsNoText((String) name, where + ": a name");
                refuseWhatIsNoText(child, (String) name);
            });
        } else if (value instanceof List<?> list) {
            list.forEach(child -> refuseWhatIsNoText(child, where));
        }
    }

    private static void refuseWhatIsNoText(String text, String where) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == 0) {
                throw new Refused(400, where + ": must not contain the character NUL (\\u0000)");
            }
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c)
                        || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    throw new Refused(
                            400, where + ": must be whole characters; there is half a surrogate pair at position " + i);
                }
                i++;
            }
        }
    }
}
