package dev.freshet.live;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/**
 * One row of the outbox: an event that a trigger, or someone by hand, has announced.
 *
 * @param eid as in events.eid; null or any text
 * @param detail JSON that becomes part of the payload unchanged
 * @param endpoints null: those that follow from the type
 * @param changedAt seconds since the epoch
 */
public record Change(
        String type,
        String eid,
        String operation,
        String detail,
        List<String> endpoints,
        int changes,
        BigDecimal changedAt) {
    /** PostgreSQL's limit for a NOTIFY is 7,999 bytes. */
    static final int MOST_BYTES = 7_900;

    static final Pattern EID = Pattern.compile("[A-Za-z0-9._-]{1,40}");
    /**
     * Streams carry the type on a line of its own. A type that could end that line could inject an event of its own.
     */
    private static final Pattern TYPE = Pattern.compile("[A-Za-z0-9._:-]{1,64}");

    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .configure(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES, false)
            .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN);

    boolean canBeSent() {
        return eid != null && EID.matcher(eid).matches() && TYPE.matcher(type).matches();
    }

    String table() {
        return switch (type) {
            case "art_updated" -> "art";
            case "vote_cast" -> "votes";
            case "bid_placed" -> "bids";
            case "media_updated" -> "art_media";
            default -> "manual";
        };
    }

    String doing() {
        return operation != null
                ? operation
                : switch (type) {
                    case "art_updated" -> "UPDATE";
                    case "vote_cast", "bid_placed", "media_updated" -> "INSERT";
                    default -> "INVALIDATE";
                };
    }

    /** The addresses that are stale now. */
    List<String> stale() {
        if (endpoints != null) {
            return endpoints;
        }
        String page = "/live/event/" + eid;
        return switch (type) {
            case "vote_cast" -> List.of(page);
            case "bid_placed" -> {
                String bids = bids();
                yield bids == null ? List.of(page) : List.of(page, bids);
            }
            case "media_updated" -> List.of(page + "/media");
            default -> List.of(page, page + "/media");
        };
    }

    private String bids() {
        JsonNode round = members().path("round");
        JsonNode easel = members().path("easel");
        return round.isValueNode() && !round.isNull() && easel.isValueNode() && !easel.isNull()
                ? ("/live/event/" + eid + '-' + round.asText() + '-' + easel.asText() + "/bids").replace("\0", "")
                : null;
    }

    /** A copy of this change that represents {@code many} changes and lists these endpoints. */
    Change standingFor(List<String> all, int many) {
        return new Change(type, eid, operation, detail, all, many, changedAt);
    }

    /**
     * On one line, and short enough to be sent. If it would be too long, it goes without its details rather than not at
     * all.
     */
    String payload() {
        String whole = payload(stale(), members());
        if (whole.getBytes(StandardCharsets.UTF_8).length <= MOST_BYTES) {
            return whole;
        }
        String brief = payload(stale(), JSON.createObjectNode().put("truncated", true));
        return brief.getBytes(StandardCharsets.UTF_8).length <= MOST_BYTES
                ? brief
                : payload(
                        List.of("/live/event/" + eid, "/live/event/" + eid + "/media"),
                        JSON.createObjectNode().put("truncated", true));
    }

    private String payload(List<String> stale, ObjectNode members) {
        ObjectNode payload = JSON.createObjectNode().put("type", type).put("event_eid", eid);
        stale.forEach(payload.putArray("endpoints")::add);
        payload.setAll(members);
        if (changes > 1) {
            payload.put("changes", changes);
        }
        payload.put("timestamp", changedAt);
        try {
            return JSON.writeValueAsString(payload);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private ObjectNode members() {
        try {
            return detail != null && JSON.readTree(detail) instanceof ObjectNode members
                    ? members
                    : JSON.createObjectNode();
        } catch (JsonProcessingException e) {
            return JSON.createObjectNode().put("truncated", true); // for example a number with a thousand digits
        }
    }
}
