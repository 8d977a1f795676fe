package dev.freshet.deliver.provider;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeSet;

/**
 * How a tag is written for a provider that does not accept every text. Characters that the provider allows stay as they
 * are; every other byte of the tag's UTF-8, and also {@code ~}, becomes {@code ~} and two hex digits. A result that is
 * longer than the provider accepts is cut, and ends in {@code ~~} and the beginning of the tag's SHA-256. Nothing else
 * ends like that, so no two tags have the same spelling. client/tags.js does the same for the app;
 * client/test/support/spellings.json keeps both in agreement.
 */
public final class Spelling {
    private static final int DIGEST = 40;
    private static final String CUT = "~~";
    private static final String SMALL = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final String LETTERS = SMALL + "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    /** All other visible ASCII characters, except {@code ,} and {@code ~}. */
    private static final String MARKS = "!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}";

    /** By the name of the template. If a provider ignores case, capital letters are escaped. */
    private static final Map<String, Spelling> BY_PROVIDER = Map.of(
            "cloudflare", new Spelling(SMALL + MARKS, 1024, false),
            "fastly", new Spelling(LETTERS + MARKS, 1024, false),
            "vercel", new Spelling(LETTERS + MARKS, 256, false),
            "netlify", new Spelling(SMALL + MARKS, 1024, false),
            "bunny", new Spelling(SMALL + "-_.:/", 256, false),
            "cloudfront", new Spelling(SMALL + MARKS.replace("*", ""), 256, false),
            "akamai", new Spelling(LETTERS + "!#$%'+./^_`|-", 128, false),
            "varnish", new Spelling(LETTERS + "-_.:/@=", 256, false),
            "nginx", new Spelling(LETTERS + "-_.:/@=&?", 1024, true),
            "redis", new Spelling(null, Integer.MAX_VALUE, false));

    private final String allowed;
    private final int longest;
    private final boolean isPath;

    /** @param allowed null: every text */
    private Spelling(String allowed, int longest, boolean isPath) {
        this.allowed = allowed;
        this.longest = longest;
        this.isPath = isPath;
    }

    public static Spelling of(String provider) {
        Spelling spelling = BY_PROVIDER.get(provider);
        if (spelling == null) {
            throw new IllegalArgumentException("there is no spelling for \"" + provider + "\": write one of "
                    + String.join(", ", new TreeSet<>(BY_PROVIDER.keySet())));
        }
        return spelling;
    }

    public String spell(String tag) {
        if (allowed == null) {
            return tag;
        }
        byte[] bytes = tag.getBytes(StandardCharsets.UTF_8);
        StringBuilder spelled = new StringBuilder(bytes.length + 16);
        if (isPath && bytes[0] != '/') {
            spelled.append("/").append(CUT);
        }
        for (byte each : bytes) {
            if (isAllowed((char) each, spelled)) {
                spelled.append((char) each);
            } else {
                spelled.append('~').append(HexFormat.of().toHexDigits(each));
            }
        }
        if (spelled.length() <= longest) {
            return spelled.toString();
        }
        return spelled.substring(0, longest - DIGEST - CUT.length()) + CUT + digest(bytes);
    }

    /** In a path, {@code //}, {@code /./} and {@code /../} do not mean what they mean in a tag. */
    private boolean isAllowed(char letter, StringBuilder before) {
        boolean isFirstInSegment = isPath && before.length() > 0 && before.charAt(before.length() - 1) == '/';
        return allowed.indexOf(letter) >= 0 && !(isFirstInSegment && (letter == '.' || letter == '/'));
    }

    private static String digest(byte[] bytes) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes))
                    .substring(0, DIGEST);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
