package dev.freshet.deliver.provider;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * POST /ccu/v3/{action}/tag/{network}. Limits: https://techdocs.akamai.com/purge-cache/reference/rate-limiting (100
 * requests, 50 a second; 5,000 tags, 500 a minute; a denied request spends nothing; 429 as in
 * /reference/rate-limit-response-examples); 50,000 bytes: /reference/413; which characters a tag may have, and up to
 * 128 of them: https://techdocs.akamai.com/property-mgr/reference/ga-cache-tag; signature, valid for 30 seconds and one
 * request: https://techdocs.akamai.com/developer/docs/edgegrid.
 */
public final class AkamaiSimulator extends Simulator {
    private static final Pattern SIGNED = Pattern.compile("(EG1-HMAC-SHA256 client_token=(\\w+);access_token=(\\w+);"
            + "timestamp=(\\d{8}T\\d\\d:\\d\\d:\\d\\d\\+0000);nonce=([\\w-]+);)signature=(\\S+)");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HH:mm:ssxx").withZone(ZoneOffset.UTC);

    private final TokenBucket calls = new TokenBucket(100, 50);
    private final TokenBucket tags = new TokenBucket(5_000, 500 / 60.0);
    private final Set<String> nonces = new HashSet<>();
    private final String client;
    private final String secret;
    private final String access;

    public AkamaiSimulator(String client, String secret, String access) {
        this.client = client;
        this.secret = secret;
        this.access = access;
    }

    @Override
    synchronized Reply answer(Request request) {
        if (!request.method().equals("POST")
                || !request.path().matches("/ccu/v3/(invalidate|delete)/tag/(production|staging)")) {
            return failure(404, "Not Found", "");
        }
        String wrong = errorInSignature(request);
        if (wrong != null) {
            return failure(401, "Not authorized", wrong);
        }
        if (request.body().getBytes(StandardCharsets.UTF_8).length > 50_000) {
            return failure(413, "Request entity too large", "");
        }
        List<String> objects = texts(request.json().path("objects"));
        for (String tag : objects) {
            if (!tag.matches("[A-Za-z0-9!#$%'+./^_`|~-]{1,128}")) {
                return failure(400, "Bad request", "invalid tag " + tag);
            }
        }
        if (objects.isEmpty() || !calls.has(1) || !tags.has(objects.size())) {
            return failure(429, "Rate Limit exceeded", "");
        }
        calls.take(1);
        tags.take(objects.size());
        return new Reply(
                201,
                "{\"httpStatus\":201,\"detail\":\"Request accepted\",\"estimatedSeconds\":5,"
                        + "\"purgeId\":\"e535071c-26b2-11e7-94d7-276f2f54d938\","
                        + "\"supportId\":\"17PY1492793544958045\"}",
                objects);
    }

    private String errorInSignature(Request request) {
        Matcher signed = SIGNED.matcher(request.header("authorization"));
        if (!signed.matches()
                || !signed.group(2).equals(client)
                || !signed.group(3).equals(access)) {
            return "Invalid authorization header";
        }
        Instant time = Instant.from(TIME.parse(signed.group(4)));
        if (Duration.between(time, Instant.now()).abs().toSeconds() > 30) {
            return "Invalid timestamp";
        }
        if (!nonces.add(signed.group(5))) {
            return "Duplicate nonce";
        }
        try {
            byte[] body = request.body().getBytes(StandardCharsets.UTF_8);
            String hash = base64(MessageDigest.getInstance("SHA-256").digest(body));
            String text = "POST\thttp\t" + request.header("host") + "\t" + request.path() + "\t\t" + hash + "\t"
                    + signed.group(1);
            return signed.group(6).equals(mac(mac(secret, signed.group(4)), text))
                    ? null
                    : "The signature does not match";
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String mac(String key, String text) throws java.security.GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        return base64(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static Reply failure(int status, String title, String detail) {
        return Reply.of(
                status,
                "{\"httpStatus\":" + status + ",\"title\":\"" + title + "\",\"detail\":\"" + detail
                        + "\",\"supportId\":\"17PY1552425241133633\"}");
    }
}
