package dev.freshet.deliver.provider;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeSet;

/**
 * How a tag is written for a provider that does not take every text: what it allows stays as it is, any other byte of
 * the tag's UTF-8 becomes {@code ~} and two hex digits, {@code ~} too. What is longer than the provider takes then is
 * cut, and ends in {@code ~~} and the beginning of the tag's SHA-256. Nothing else ends like that, so no two tags are
 * spelled alike. client/tags.js says the same for the app; client/test/support/spellings.json holds them together.
 */
public final class Spelling {
    private static final int DIGEST = 40;
    private static final String CUT = "~~";
    private static final String SMALL = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final String LETTERS = SMALL + "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    /** What else there is of visible ASCII, but for {@code ,} and {@code ~}. */
    private static final String MARKS = "!\"#$%&'()*+-./:;<=>?@[\\]^_`{|}";

    /** By the name of the template. Where a provider ignores case, a capital letter is a byte to be escaped. */
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

    /** In a path, {@code //}, {@code /./} and {@code /../} are not what they are in a tag. */
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
