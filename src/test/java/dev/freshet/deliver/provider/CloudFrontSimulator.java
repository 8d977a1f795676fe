package dev.freshet.deliver.provider;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * POST /2020-05-31/distribution/{id}/invalidation: https://docs.aws.amazon.com/cloudfront/latest/APIReference/
 * API_CreateInvalidation.html (201; errors in XML; TooManyInvalidationsInProgress, Throttling and
 * InconsistentQuantities are 400); tags: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/
 * invalidation-specifying-tags.html (a leading #, visible ASCII except commas, 256 characters, case-insensitive, no *);
 * 3,000 objects in progress; one call in two seconds. Signature Version 4 of service cloudfront in us-east-1.
 */
public final class CloudFrontSimulator extends Simulator {
    private static final Pattern SIGNED = Pattern.compile("AWS4-HMAC-SHA256 Credential=(\\w+)/(\\d{8})/us-east-1/"
            + "cloudfront/aws4_request, SignedHeaders=([\\w;-]+), Signature=([0-9a-f]{64})");
    private static final Pattern PATH = Pattern.compile("<Path>([^<]*)</Path>");
    private static final Pattern QUANTITY = Pattern.compile("<Quantity>(\\d+)</Quantity>");

    private final TokenBucket calls = new TokenBucket(1, 0.5);
    private final TokenBucket inProgress = new TokenBucket(3_000, 3_000 / 15.0);
    private final String distribution;
    private final String keyId;
    private final String secret;

    public CloudFrontSimulator(String distribution, String keyId, String secret) {
        this.distribution = distribution;
        this.keyId = keyId;
        this.secret = secret;
    }

    @Override
    synchronized Reply answer(Request request) {
        if (!request.method().equals("POST")
                || !request.path().equals("/2020-05-31/distribution/" + distribution + "/invalidation")) {
            return failure(404, "NoSuchDistribution", "The specified distribution does not exist.");
        }
        if (!isSigned(request)) {
            return failure(403, "SignatureDoesNotMatch", "The request signature we calculated does not match");
        }
        if (!calls.take(1)) {
            return failure(400, "Throttling", "Rate exceeded");
        }
        List<String> paths = new ArrayList<>();
        PATH.matcher(request.body())
                .results()
                .forEach(path -> paths.add(
                        path.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")));
        Matcher quantity = QUANTITY.matcher(request.body());
        if (!quantity.find() || Integer.parseInt(quantity.group(1)) != paths.size()) {
            return failure(400, "InconsistentQuantities", "The value of Quantity and the size of Items don't match.");
        }
        for (String path : paths) {
            if (!path.matches("#[\\x21-\\x29\\x2b\\x2d-\\x7e]{1,256}")) {
                return failure(400, "InvalidArgument", "Your request contains an invalid path " + path);
            }
        }
        if (!request.body().matches("(?s).*<CallerReference>\\S+</CallerReference>.*")) {
            return failure(400, "InvalidArgument", "CallerReference");
        }
        if (!inProgress.take(paths.size())) {
            return failure(400, "TooManyInvalidationsInProgress", "Processing your request will cause you to exceed");
        }
        return new Reply(
                201,
                "<Invalidation><Id>I1</Id><Status>InProgress</Status></Invalidation>",
                paths.stream().map(path -> path.substring(1)).toList());
    }

    private boolean isSigned(Request request) {
        Matcher signed = SIGNED.matcher(request.header("authorization"));
        if (!signed.matches()
                || !signed.group(1).equals(keyId)
                || !signed.group(3).contains("host")) {
            return false;
        }
        try {
            StringBuilder canonical = new StringBuilder("POST\n" + request.path() + "\n\n");
            for (String name : signed.group(3).split(";")) {
                canonical.append(name.toLowerCase(Locale.ROOT)
                        + ':'
                        + request.header(name).strip()
                        + '\n');
            }
            canonical.append('\n').append(signed.group(3)).append('\n').append(hex(hash(request.body())));
            String time = request.header("x-amz-date");
            String text = "AWS4-HMAC-SHA256\n" + time + "\n" + signed.group(2) + "/us-east-1/cloudfront/aws4_request\n"
                    + hex(hash(canonical.toString()));
            byte[] key = mac(("AWS4" + secret).getBytes(StandardCharsets.UTF_8), signed.group(2));
            key = mac(mac(mac(key, "us-east-1"), "cloudfront"), "aws4_request");
            return time.startsWith(signed.group(2)) && hex(mac(key, text)).equals(signed.group(4));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] hash(String text) throws GeneralSecurityException {
        return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] mac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static Reply failure(int status, String code, String message) {
        return Reply.of(
                status,
                "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/"
                        + "2020-05-31/\"><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message
                        + "</Message></Error><RequestId>be7a4c2e</RequestId></ErrorResponse>");
    }
}
