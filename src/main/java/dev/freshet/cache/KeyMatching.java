package dev.freshet.cache;

import dev.freshet.api.Refused;
import dev.freshet.cache.pattern.KeyPattern;
import dev.freshet.cache.pattern.Like;
import dev.freshet.cache.pattern.Narrowing;
import dev.freshet.database.SqlFile;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Finds the keys that a pattern matches, among given keys or in the table cache_entries. */
final class KeyMatching {
    /** The keys that are listed, and how many {@code more} there were. */
    record Matched(List<String> keys, long more) {
        long count() {
            return keys.size() + more;
        }
    }

    /**
     * Limits the time for matching. Matching takes time linear in the key, but there may be many keys, and slow
     * patterns.
     */
    private static final class Patience {
        private final long until = System.nanoTime() + MATCHING.toNanos();
        private int asked;

        void check() {
            if ((++asked & 63) == 0 && System.nanoTime() > until) {
                throw new Refused(
                        400,
                        "pattern: needs more than " + MATCHING.toSeconds()
                                + " s for so many keys; write a simpler one, or send fewer keys");
            }
        }
    }

    private static final Duration MATCHING = Duration.ofSeconds(10);
    private static final int LISTED = 100_000;
    private static final int CHUNK = 10_000;

    private final SqlFile exact = SqlFile.of("cache/keys-exact");
    private final SqlFile withPrefix = SqlFile.of("cache/keys-with-prefix");
    private final SqlFile withSuffix = SqlFile.of("cache/keys-with-suffix");
    private final SqlFile withInfix = SqlFile.of("cache/keys-with-infix");
    private final SqlFile all = SqlFile.of("cache/keys-all");
    private final SqlFile delete = SqlFile.of("cache/delete-entries");

    static Matched among(List<String> keys, KeyPattern pattern) {
        List<String> matching = new ArrayList<>();
        Patience patience = new Patience();
        for (String key : keys) {
            patience.check();
            if (pattern.matches(key)) {
                matching.add(key);
            }
        }
        return new Matched(matching, 0);
    }

    /**
     * An index narrows the search, and the pattern decides. Matching entries that exceed what an answer lists are
     * deleted here; the caller deletes the others.
     */
    Matched inRegistry(Connection connection, KeyPattern pattern) throws SQLException {
        List<String> listed = new ArrayList<>();
        List<String> beyond = new ArrayList<>();
        long[] more = {0};
        Patience patience = new Patience();
        narrowest(pattern.narrowing()).each(connection, CHUNK, row -> {
            String key = row.getString(1);
            patience.check();
            if (!pattern.matches(key)) {
                return;
            }
            if (listed.size() < LISTED) {
                listed.add(key);
                return;
            }
            beyond.add(key);
            more[0]++;
            if (beyond.size() == CHUNK) {
                delete.update(connection, Map.of("keys", beyond));
                beyond.clear();
            }
        });
        if (!beyond.isEmpty()) {
            delete.update(connection, Map.of("keys", beyond));
        }
        return new Matched(listed, more[0]);
    }

    private SqlFile.Bound narrowest(Narrowing narrowing) {
        return switch (narrowing.by()) {
            case EXACT -> exact.with(Map.of("literal", narrowing.exact()));
            case PREFIX -> withPrefix.with(Map.of("literal", Like.literal(narrowing.prefix())));
            case SUFFIX -> withSuffix.with(Map.of("literal", Like.literal(reversed(narrowing.suffix()))));
            case INFIX -> withInfix.with(Map.of("literal", Like.literal(narrowing.infix())));
            case NOTHING -> all.with(Map.of());
        };
    }

    private static String reversed(String text) {
        return new StringBuilder(text).reverse().toString();
    }
}
