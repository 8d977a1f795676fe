package dev.freshet.audit;

import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Whoever changes the audit behind Freshet's back is found out: its rows are sealed in batches, each batch with the
 * hash of the one before.
 */
public final class AuditChain {
    private static final int BATCH = 10_000;
    private static final long LONGEST_WAIT_NANOS = 60_000_000_000L;
    private static final long PATIENCE_NANOS = Duration.ofSeconds(20).toNanos();

    private final SqlFile seal = SqlFile.of("audit/seal-audit");
    private final SqlFile verify = SqlFile.of("audit/verify-audit");
    private final SqlFile batches = SqlFile.of("audit/audit-batches");
    private final Transactions transactions;
    private final BooleanSupplier busy;
    private long sealedAt = System.nanoTime();

    /** @param busy while this holds, sealing waits, at most a minute */
    public AuditChain(Transactions transactions, BooleanSupplier busy) {
        this.transactions = transactions;
        this.busy = busy;
    }

    public void seal() throws SQLException {
        if (busy.getAsBoolean() && System.nanoTime() - sealedAt < LONGEST_WAIT_NANOS) {
            return;
        }
        sealedAt = System.nanoTime();
        int rows;
        do {
            rows = transactions.in(
                    c -> (Integer) seal.rows(c, Map.of("limit", BATCH)).get(0).get("sealed"));
        } while (rows >= BATCH);
    }

    /**
     * From the oldest batch, or from the one asked for; what is not done within 20 seconds is left to another request.
     */
    public Map<String, Object> verify(Object from) throws SQLException {
        Map<String, Object> range =
                transactions.inOne(c -> batches.rows(c, Map.of())).get(0);
        long last = (Long) range.get("last");
        long begun = System.nanoTime();
        long batch = Math.max(first(from), (Long) range.get("first"));
        long checked = 0;
        long rows = 0;
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("ok", true);
        Map<String, Object> newest = Map.of();
        for (; batch <= last && System.nanoTime() - begun < PATIENCE_NANOS; batch++) {
            long number = batch;
            newest = transactions
                    .inOne(c -> verify.rows(c, Map.of("batch", number)))
                    .get(0);
            if (newest.get("broken") != null) {
                Map<String, Object> broken = new LinkedHashMap<>();
                broken.put("batch", batch);
                broken.put("row", newest.get("broken_row"));
                broken.put("what", newest.get("broken"));
                answer.put("ok", false);
                answer.put("first_broken", broken);
                break;
            }
            checked++;
            rows += (Integer) newest.get("rows");
        }
        boolean complete = batch > last || answer.containsKey("first_broken");
        answer.put("complete", complete);
        answer.put("batches", checked);
        answer.put("rows", rows);
        answer.put("sealed_until", newest.get("sealed_at"));
        answer.put("head", newest.get("hash"));
        if (!complete) {
            answer.put("next", batch);
        }
        return answer;
    }

    private static long first(Object from) {
        if (from == null) {
            return 1;
        }
        if (!from.toString().matches("[1-9][0-9]{0,17}")) {
            throw new Refused(400, "from: must be the number of a batch, from 1");
        }
        return Long.parseLong(from.toString());
    }
}
