package dev.freshet.audit;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.freshet.api.Refused;
import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Detects changes of the audit that bypass Freshet: its rows are sealed in batches, and each batch includes the hash of
 * the one before.
 */
public final class AuditChain {
    /** @param first the oldest batch that the retention has left */
    record SealedRange(long first, long last) {}

    /** @param broken what is wrong with the batch; null: nothing */
    record SealedBatch(Integer rows, String hash, String sealedAt, String broken, String brokenRow) {
        private static final SealedBatch NONE = new SealedBatch(null, null, null, null, null);
    }

    public record FirstBroken(long batch, String row, String what) {}

    /** @param next where another request continues; null: the check is complete */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record VerifiedAudit(
            boolean ok,
            @JsonInclude(JsonInclude.Include.NON_NULL) FirstBroken firstBroken,
            boolean complete,
            long batches,
            long rows,
            String sealedUntil,
            String head,
            @JsonInclude(JsonInclude.Include.NON_NULL) Long next) {}

    private static final int BATCH = 10_000;
    private static final long LONGEST_WAIT_NANOS = 60_000_000_000L;
    private static final long PATIENCE_NANOS = Duration.ofSeconds(20).toNanos();

    private final SqlFile seal = SqlFile.of("audit/seal-audit");
    private final SqlFile verify = SqlFile.of("audit/verify-audit");
    private final SqlFile batches = SqlFile.of("audit/audit-batches");
    private final Transactions transactions;
    private final BooleanSupplier busy;
    private long sealedAt = System.nanoTime();

    /** @param busy while true, sealing waits, for at most a minute */
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
            rows = transactions.inOneOnTerms(c -> seal.row(c, Map.of("limit", BATCH), Integer.class));
        } while (rows >= BATCH);
    }

    /**
     * Starts at the oldest batch or at the given one. After 20 seconds it stops, and another request has to continue.
     */
    public VerifiedAudit verify(Object from) throws SQLException {
        SealedRange range = transactions.inOne(c -> batches.row(c, Map.of(), SealedRange.class));
        long begun = System.nanoTime();
        long batch = Math.max(first(from), range.first());
        long checked = 0;
        long rows = 0;
        SealedBatch newest = SealedBatch.NONE;
        FirstBroken broken = null;
        for (; batch <= range.last() && System.nanoTime() - begun < PATIENCE_NANOS; batch++) {
            newest = look(batch);
            if (newest.broken() != null) {
                broken = new FirstBroken(batch, newest.brokenRow(), newest.broken());
                break;
            }
            checked++;
            rows += newest.rows();
        }
        boolean complete = batch > range.last() || broken != null;
        return new VerifiedAudit(
                broken == null,
                broken,
                complete,
                checked,
                rows,
                newest.sealedAt(),
                newest.hash(),
                complete ? null : batch);
    }

    private SealedBatch look(long number) throws SQLException {
        return transactions.inOne(c -> verify.row(c, Map.of("batch", number), SealedBatch.class));
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
