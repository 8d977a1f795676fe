package dev.freshet.deliver.provider;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.http.base.HttpOperationFailedException;

/** Handles answers whose status does not reflect the result. */
public final class Answer {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A 2xx without {@code "success": true} is a permanent refusal: trying again would not change it. */
    public void mustSaySuccess(Exchange exchange) throws HttpOperationFailedException {
        String body = exchange.getMessage().getBody(String.class);
        if (!read(body).path("success").asBoolean(false)) {
            refuse(exchange, body);
        }
    }

    private static JsonNode read(String body) {
        try {
            return JSON.readTree(body == null ? "" : body);
        } catch (IOException e) {
            return JSON.missingNode();
        }
    }

    /** Fails as if the status had been a refusal; the dead letter contains the answer. */
    private static void refuse(Exchange exchange, String body) throws HttpOperationFailedException {
        int status = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 0, Integer.class);
        throw new HttpOperationFailedException(exchange.getFromRouteId(), status, "", null, Map.of(), body);
    }
}
