package dev.freshet.deliver.provider;

import java.net.URI;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;

/** Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. */
public final class AwsSignature {
    /** The credentials, and the region and service that a request goes to. */
    record Scope(String keyId, String secret, String region, String service) {}

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private final Clock clock;

    public AwsSignature(Clock clock) {
        this.clock = clock;
    }

    /** Signs for CloudFront, whose requests are signed for one fixed region, wherever it is. */
    public void sign(Exchange exchange, String address) {
        URI uri = URI.create(address);
        Scope scope = new Scope(
                exchange.getVariable("accessKeyId", String.class),
                exchange.getVariable("secretAccessKey", String.class),
                "us-east-1",
                "cloudfront");
        Map<String, String> signed = new TreeMap<>();
        signed.put("host", uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort()));
        signed.put("x-amz-date", TIME.format(clock.instant()));
        String session = exchange.getVariable("sessionToken", String.class);
        if (session != null && !session.isEmpty()) {
            signed.put("x-amz-security-token", session);
        }
        String body = exchange.getMessage().getBody(String.class);
        exchange.getMessage().setHeader("Authorization", authorization(scope, "POST", uri, signed, body));
        signed.remove("host");
        signed.forEach(exchange.getMessage()::setHeader);
    }

    /** @param signed the headers that are signed, by their names in lower case, sorted */
    static String authorization(Scope scope, String method, URI uri, Map<String, String> signed, String body) {
        String names = String.join(";", signed.keySet());
        String headers = signed.entrySet().stream()
                .map(header -> header.getKey() + ":" + header.getValue() + "\n")
                .collect(Collectors.joining());
        String query = uri.getRawQuery() == null ? "" : uri.getRawQuery();
        String request =
                String.join("\n", method, uri.getRawPath(), query, headers, names, hex(Keyed.sha256(Keyed.utf8(body))));
        String time = signed.get("x-amz-date");
        String day = time.substring(0, 8);
        String credential = String.join("/", day, scope.region(), scope.service(), "aws4_request");
        String text = String.join("\n", "AWS4-HMAC-SHA256", time, credential, hex(Keyed.sha256(Keyed.utf8(request))));
        byte[] key = Keyed.hmac(Keyed.utf8("AWS4" + scope.secret()), day);
        for (String part : new String[] {scope.region(), scope.service(), "aws4_request"}) {
            key = Keyed.hmac(key, part);
        }
        return "AWS4-HMAC-SHA256 Credential=" + scope.keyId() + "/" + credential + ", SignedHeaders=" + names
                + ", Signature=" + hex(Keyed.hmac(key, text));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
