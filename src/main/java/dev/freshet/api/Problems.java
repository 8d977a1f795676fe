package dev.freshet.api;

import com.fasterxml.jackson.core.JsonGenerationException;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.InvalidDefinitionException;
import dev.freshet.database.SqlState;
import dev.freshet.run.log.LogIds;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Called by routes: {@code refuse} to stop with an error answer, {@code answer} in an onException to write it. */
public final class Problems {

    private static final Logger LOG = LoggerFactory.getLogger(Problems.class);
    private static final int RETRY_AFTER_SECONDS = 5;
    private static final Set<String> IN_THE_WAY = Set.of("55P03", "40P01", "40001", "57014");

    public void refuse(int status, String detail) {
        throw new Refused(status, detail);
    }

    public void refuse(int status, String error, String message) {
        throw new Refused(Problem.of(status, error, message));
    }

    /** Turns the exception that the route caught into the response. */
    public void answer(Exchange exchange) {
        answer(exchange, caught(exchange));
    }

    /** The same for callers that look for {@code success} and {@code message}. */
    public void answerWithoutSuccess(Exchange exchange) {
        Problem problem = caught(exchange);
        answer(exchange, problem.with("success", false).with("message", problem.detail()));
    }

    private static Problem caught(Exchange exchange) {
        Throwable handled = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Throwable.class);
        Throwable thrown = handled == null ? exchange.getException() : handled;
        Problem problem = of(thrown);
        String given = exchange.getMessage().getHeader(RequestId.HEADER, String.class);
        String request = RequestId.isSane(given) ? given : "unknown";
        if (problem.status() == 500) {
            LogIds.with(
                    Map.of("request", request),
                    () -> LOG.error(
                            "Answered 500 to request {}: route {} failed", request, exchange.getFromRouteId(), thrown));
        } else if (problem.status() == 503) {
            LogIds.with(
                    Map.of("request", request),
                    () -> LOG.warn(
                            "Answered 503 to request {}: route {} has no database ({})",
                            request,
                            exchange.getFromRouteId(),
                            thrown.getClass().getName()));
        }
        return problem;
    }

    private static void answer(Exchange exchange, Problem problem) {
        Message response = exchange.getMessage();
        response.removeHeaders("*");
        problem.headers().forEach(response::setHeader);
        response.setHeader(Exchange.HTTP_RESPONSE_CODE, problem.status());
        response.setHeader(Exchange.CONTENT_TYPE, Problem.CONTENT_TYPE);
        response.setBody(problem.json());
    }

    public static Problem of(Throwable thrown) {
        Deque<Throwable> left = new ArrayDeque<>();
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        push(left, thrown);
        while (!left.isEmpty()) {
            Throwable cause = left.pop();
            if (!seen.add(cause)) {
                continue;
            }
            if (cause instanceof Refused refused && refused.problem() != null) {
                return refused.problem();
            }
            if (cause instanceof JsonProcessingException json && isOfTheReader(json)) {
                return Problem.of(400, notJson(json));
            }
            if (cause instanceof SQLException sql) {
                if (isConnectionLost(sql)) {
                    return Problem.of(503, "the database cannot be reached; try again")
                            .retryAfter(RETRY_AFTER_SECONDS);
                }
                if (isInTheWay(sql)) {
                    return Problem.of(503, "somebody else's transaction holds what this needs; try again")
                            .retryAfter(1);
                }
                if (sql.getSQLState() != null && sql.getSQLState().startsWith("22")) {
                    LOG.debug("The database refused a value", sql);
                    return Problem.of(
                            400,
                            "body: holds a value that the database cannot keep, such as a number or a time out of its"
                                    + " range");
                }
                push(left, sql.getNextException());
            }
            push(left, cause.getCause());
        }
        return Problem.of(500, "internal error");
    }

    private static void push(Deque<Throwable> left, Throwable cause) {
        if (cause != null) {
            left.push(cause);
        }
    }

    private static boolean isConnectionLost(SQLException sql) {
        return sql instanceof SQLTransientConnectionException // Hikari: no connection within connectionTimeout
                || SqlState.isConnectionLost(sql);
    }

    /** A lock that was not obtained in time, a deadlock, or a cancelled statement. */
    private static boolean isInTheWay(SQLException sql) {
        return sql.getSQLState() != null && IN_THE_WAY.contains(sql.getSQLState());
    }

    /** If our own answer cannot be written, that is our fault and not the caller's. */
    private static boolean isOfTheReader(JsonProcessingException json) {
        return !(json instanceof JsonGenerationException) && !(json instanceof InvalidDefinitionException);
    }

    private static String notJson(JsonProcessingException json) {
        JsonLocation at = json.getLocation();
        String where =
                at == null || at.getLineNr() < 1 ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr();
        if (json instanceof JsonMappingException mapping) {
            StringBuilder field = new StringBuilder("body");
            mapping.getPath()
                    .forEach(step -> field.append(
                            step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName()));
            return field + ": must be JSON of the documented shape" + where;
        }
        String reason = json.getOriginalMessage();
        // Jackson puts the names of its own classes and features in back-ticks
        boolean sayable = reason != null && reason.indexOf('`') < 0;
        return "body: not valid JSON" + where
                + (sayable ? ": " + reason.substring(0, Math.min(200, reason.length())) : "");
    }
}
