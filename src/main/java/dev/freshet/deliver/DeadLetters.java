package dev.freshet.deliver;

import dev.freshet.api.Page;
import dev.freshet.api.Refused;
import dev.freshet.api.Times;
import dev.freshet.cache.pattern.Like;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Dead letters: lists them and replays them. */
public final class DeadLetters {
    /** What one page of a replay did. */
    private record Replayed(int replayed, int chosen, List<String> held, String lastTag, String lastTarget) {}

    /** null: any. */
    private record Which(Object target, Object tag, String tagLike, Object error) {
        private static final Which ALL = new Which(null, null, null, null);

        private static Which of(Object target, Object tag, Object error) {
            boolean isGlob = tag != null && tag.toString().indexOf('*') >= 0;
            return new Which(
                    unlessEmpty(target),
                    isGlob ? null : unlessEmpty(tag),
                    isGlob ? Like.of(tag.toString()) : null,
                    unlessEmpty(error));
        }

        /** A field that was left empty filters nothing. */
        private static Object unlessEmpty(Object given) {
            return "".equals(given) ? null : given;
        }
    }

    private record Listed(Which which, Page page) {}

    /** @param ids null: any */
    private record Replay(Which which, List<String> ids, String afterTag, String afterTarget, int limit) {}

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);
    private static final List<String> FILTERS = List.of("target", "tag", "error");
    /** Replaying this many takes some 15 ms during a full drain. Meanwhile nothing else can change these deliveries. */
    private static final int REPLAYED_AT_ONCE = 200;

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration GLANCE = Duration.ofMillis(20);

    private final SqlFile list = SqlFile.of("deliver/dead-letters");
    private final SqlFile count = SqlFile.of("deliver/count-dead-letters");
    private final SqlFile replay = SqlFile.of("deliver/replay");
    private final Transactions transactions;

    public DeadLetters(Transactions transactions) {
        this.transactions = transactions;
    }

    public Map<String, Object> list(Object target, Object tag, Object error, Object limit, Object offset)
            throws SQLException {
        Page page = Page.of(limit, offset);
        Which which = Which.of(target, tag, error);
        List<Map<String, Object>> letters = transactions.in(c -> list.rows(c, new Listed(which, page)));
        long total = transactions.in(c -> count.row(c, which, Long.class));
        Times.readable(letters);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("dead_letters", letters);
        answer.put("total_count", total);
        answer.put("has_more", page.offset() + letters.size() < total);
        return answer;
    }

    public Map<String, Object> replayOne(String id) throws SQLException {
        UUID letter;
        try {
            letter = UUID.fromString(id);
        } catch (IllegalArgumentException e) {
            throw new Refused(400, "id: must be a dead letter's id, as listed by GET /api/dead-letters");
        }
        Map<String, Object> answer = replay(Which.ALL, List.of(letter.toString()));
        if (Long.valueOf(0).equals(answer.get("replayed"))) {
            throw new Refused(
                    404,
                    "there is no dead letter " + letter
                            + " of a target that is known; it may have been delivered meanwhile");
        }
        return answer;
    }

    public Map<String, Object> replayMatching(Map<String, Object> body) throws SQLException {
        Map<String, Object> asked = body == null ? Map.of() : body;
        for (Map.Entry<String, Object> entry : asked.entrySet()) {
            if (!FILTERS.contains(entry.getKey())) {
                throw new Refused(400, entry.getKey() + ": is no filter; write target, tag, error or {} for all");
            }
            if (entry.getValue() != null && !(entry.getValue() instanceof String)) {
                throw new Refused(400, entry.getKey() + ": must be a string");
            }
        }
        return replay(Which.of(asked.get("target"), asked.get("tag"), asked.get("error")), null);
    }

    /**
     * Works in pages that are transactions of their own, so that no one waits for a replay of a million letters.
     * Letters that are locked at that moment, for example by a settlement of the same delivery, are tried again at the
     * end.
     */
    private Map<String, Object> replay(Which which, List<String> ids) throws SQLException {
        long replayed = 0;
        List<String> held = new ArrayList<>();
        String afterTag = null;
        String afterTarget = null;
        Replayed page;
        do {
            page = replayPage(which, ids, afterTag, afterTarget);
            replayed += page.replayed();
            held.addAll(page.held());
            afterTag = page.lastTag();
            afterTarget = page.lastTarget();
        } while (page.chosen() == REPLAYED_AT_ONCE);
        return Map.of("replayed", replayed + replayHeld(which, held));
    }

    private long replayHeld(Which which, List<String> held) throws SQLException {
        long replayed = 0;
        List<String> left = held;
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!left.isEmpty() && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(GLANCE.toNanos());
            List<String> still = new ArrayList<>();
            for (int from = 0; from < left.size(); from += REPLAYED_AT_ONCE) {
                List<String> some = left.subList(from, Math.min(left.size(), from + REPLAYED_AT_ONCE));
                Replayed page = replayPage(which, some, null, null);
                replayed += page.replayed();
                still.addAll(page.held());
            }
            left = still;
        }
        if (!left.isEmpty()) {
            LOG.warn(
                    "{} dead letters were not replayed: another transaction holds what they are about. Replay them"
                            + " again",
                    left.size());
        }
        return replayed;
    }

    private Replayed replayPage(Which which, List<String> ids, String afterTag, String afterTarget)
            throws SQLException {
        Replay page = new Replay(which, ids, afterTag, afterTarget, REPLAYED_AT_ONCE);
        return transactions.audited(c -> replay.row(c, page, Replayed.class));
    }
}
