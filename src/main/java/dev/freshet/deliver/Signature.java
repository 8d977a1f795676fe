package dev.freshet.deliver;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.camel.Body;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Variable;

/** Adds the headers of the Standard Webhooks specification, for receivers that verify where a call comes from. */
public final class Signature implements Processor {
    private static final String PREFIX = "whsec_";

    private final String secret;
    private final SecretKeySpec key;
    private final Clock clock;

    public Signature(String secret, Clock clock) {
        this.secret = secret;
        byte[] bytes = secret.startsWith(PREFIX)
                ? Base64.getDecoder().decode(secret.substring(PREFIX.length()))
                : secret.getBytes(StandardCharsets.UTF_8);
        this.key = new SecretKeySpec(bytes, "HmacSHA256");
        this.clock = clock;
    }

    @Override
    public void process(Exchange exchange) throws GeneralSecurityException {
        sign((Call) exchange.getVariable("call"), exchange.getMessage().getBody(String.class), exchange);
    }

    public void sign(@Variable("call") Call call, @Body String body, Exchange exchange)
            throws GeneralSecurityException {
        String id = call.getId();
        String timestamp = Long.toString(clock.instant().getEpochSecond());
        exchange.getMessage().setHeader("webhook-id", id);
        exchange.getMessage().setHeader("webhook-timestamp", timestamp);
        exchange.getMessage().setHeader("webhook-signature", "v1," + of(id, timestamp, body));
    }

    /** For a receiver that compares the secret instead. */
    public String secret() {
        return secret;
    }

    String of(String id, String timestamp, String body) throws GeneralSecurityException {
        Mac mac = Mac.getInstance(key.getAlgorithm());
        mac.init(key);
        return Base64.getEncoder()
                .encodeToString(mac.doFinal((id + '.' + timestamp + '.' + body).getBytes(StandardCharsets.UTF_8)));
    }
}
