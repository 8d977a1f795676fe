package dev.freshet.queue;

import dev.freshet.database.SqlFile;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;

/** Enforces the time limits: deletes processed rows, and turns what was owed in vain for too long into dead letters. */
public final class Retention {
    private record Processed(double retentionSeconds, int limit) {}

    /** @param upSeconds how long this instance has been up */
    private record TooOld(double retryForSeconds, int limit, double upSeconds) {}

    private static final int ROWS = 5_000;
    private static final int BATCHES = 100;
    /** Few, since each fence may have any number of tags. */
    private static final int FENCES = 500;

    private static final int SHARE = 50;
    private static final Duration UNNOTICED = Duration.ofMillis(20);

    private final Sparing forgetting = new Sparing(SHARE, UNNOTICED);
    private final Sparing givingUp = new Sparing(SHARE, UNNOTICED);
    private final Sparing fencesUnnoticed = new Sparing(SHARE, UNNOTICED);
    private final long begun = System.nanoTime();

    private final SqlFile forgetProcessed = SqlFile.of("queue/forget-processed");
    private final SqlFile giveUp = SqlFile.of("deliver/give-up");
    private final SqlFile forgetFences = SqlFile.of("deliver/forget-fences");
    private final FenceNotes fences = new FenceNotes();
    private final Transactions transactions;
    private final Duration retention;
    private final Duration retryFor;

    public Retention(Transactions transactions, Duration retention, Duration retryFor) {
        this.transactions = transactions;
        this.retention = retention;
        this.retryFor = retryFor;
    }

    /** Runs as often as it is worth it: finding what is due means reading all processed rows. */
    public void forgetWhatIsDue() throws Exception {
        if (forgetting.mayAsk()) {
            forgetting.ask(this::forgetProcessed);
        }
        if (givingUp.mayAsk()) {
            givingUp.ask(() -> {
                giveUpWhatIsTooOld();
                return null;
            });
        }
        if (fencesUnnoticed.mayAsk()) {
            fencesUnnoticed.ask(this::forgetFences);
        }
    }

    /** Tokens are kept for a day. Until then, fences also follow changes that were moved without being noted. */
    public int forgetFences() throws SQLException {
        transactions.in(c -> {
            fences.unnoticed(c);
            return null;
        });
        int deleted = 0;
        for (int batch = 0; batch < BATCHES; batch++) {
            int rows = transactions.inOneOnTerms(c -> forgetFences.update(c, Map.of("limit", FENCES)));
            deleted += rows;
            if (rows < FENCES) {
                break;
            }
        }
        return deleted;
    }

    /** @return number of rows deleted */
    public int forgetProcessed() throws SQLException {
        int deleted = 0;
        for (int batch = 0; batch < BATCHES; batch++) {
            int rows = transactions.inOneOnTerms(
                    c -> forgetProcessed.update(c, new Processed(retention.toMillis() / 1000.0, ROWS)));
            deleted += rows;
            if (rows < ROWS) {
                break;
            }
        }
        return deleted;
    }

    public void giveUpWhatIsTooOld() throws SQLException {
        for (int batch = 0; batch < BATCHES; batch++) {
            int rows = transactions.audited(
                    c -> giveUp.rows(c, tooOld(), String.class).size());
            if (rows < ROWS) {
                break;
            }
        }
    }

    /**
     * Created anew for each attempt, because the uptime of this instance is subtracted from the time of the statement.
     */
    private TooOld tooOld() {
        return new TooOld(retryFor.toMillis() / 1000.0, ROWS, (System.nanoTime() - begun) / 1e9);
    }
}
