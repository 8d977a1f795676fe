package dev.freshet.deliver.provider;

import java.net.URI;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.Locale;
import java.util.UUID;
import org.apache.camel.Exchange;

/**
 * Akamai's request signature: https://techdocs.akamai.com/developer/docs/edgegrid. It is valid for a few seconds and
 * for one request.
 */
public final class EdgeGrid {
    /** The contents of an .edgerc file. */
    record Client(String clientToken, String clientSecret, String accessToken) {}

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HH:mm:ss+0000").withZone(ZoneOffset.UTC);

    private final Clock clock;

    public EdgeGrid(Clock clock) {
        this.clock = clock;
    }

    public void sign(Exchange exchange, String address) {
        Client client = new Client(
                exchange.getVariable("clientToken", String.class),
                exchange.getVariable("clientSecret", String.class),
                exchange.getVariable("accessToken", String.class));
        String body = exchange.getMessage().getBody(String.class);
        exchange.getMessage()
                .setHeader(
                        "Authorization",
                        authorization(
                                client,
                                URI.create(address),
                                body,
                                TIME.format(clock.instant()),
                                UUID.randomUUID().toString()));
    }

    static String authorization(Client client, URI address, String body, String time, String nonce) {
        String unsigned = "EG1-HMAC-SHA256 client_token=" + client.clientToken() + ";access_token="
                + client.accessToken() + ";timestamp=" + time + ";nonce=" + nonce + ";";
        String host = address.getHost() + (address.getPort() < 0 ? "" : ":" + address.getPort());
        String request = String.join(
                "\t",
                "POST",
                address.getScheme(),
                host.toLowerCase(Locale.ROOT),
                address.getRawPath(),
                "",
                base64(Keyed.sha256(Keyed.utf8(body))),
                unsigned);
        String key = base64(Keyed.hmac(Keyed.utf8(client.clientSecret()), time));
        return unsigned + "signature=" + base64(Keyed.hmac(Keyed.utf8(key), request));
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
