package dev.freshet.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The body of every error answer: the members of RFC 9457, and {@code error}, which callers of the replaced systems
 * read.
 */
public final class Problem {

    public static final String CONTENT_TYPE = "application/problem+json";

    private static final ObjectMapper JSON = new ObjectMapper();

    private final int status;
    private final Map<String, Object> members;
    private final Map<String, String> headers;

    private Problem(int status, Map<String, Object> members, Map<String, String> headers) {
        this.status = status;
        this.members = Collections.unmodifiableMap(members);
        this.headers = Collections.unmodifiableMap(headers);
    }

    /** @param detail what is wrong and what to send instead; it starts with the field's name if there is one */
    public static Problem of(int status, String detail) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("error", detail);
        members.put("type", "about:blank");
        members.put("title", HttpResponseStatus.valueOf(status).reasonPhrase());
        members.put("status", status);
        members.put("detail", detail);
        return new Problem(status, members, Map.of());
    }

    public static Problem of(int status, String error, String message) {
        return of(status, error).with("message", message).with("detail", message);
    }

    public Problem with(String member, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(members);
        more.put(member, value);
        return new Problem(status, more, headers);
    }

    public Problem withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new Problem(status, members, more);
    }

    public Problem retryAfter(long seconds) {
        return withHeader("Retry-After", Long.toString(seconds));
    }

    public int status() {
        return status;
    }

    public String detail() {
        return String.valueOf(members.get("detail"));
    }

    public Map<String, String> headers() {
        return headers;
    }

    public String json() {
        try {
            return JSON.writeValueAsString(members);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a member of a problem cannot be written as JSON: " + members.keySet(), e);
        }
    }

    @Override
    public String toString() {
        return json();
    }
}
