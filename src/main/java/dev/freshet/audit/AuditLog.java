package dev.freshet.audit;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.freshet.database.SqlFile;
import dev.freshet.database.SqlState;
import dev.freshet.database.Transactions;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of the wire tap: records requests, attempts and refusals. Outcomes are not among them, because the settlement
 * writes them in its own transaction.
 */
public final class AuditLog {
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Row(
            String kind,
            String target,
            List<String> keys,
            String triggeredBy,
            String outcome,
            Integer status,
            String detail,
            String requestId,
            String at) {
        public static Row of(
                String kind,
                String target,
                List<String> keys,
                String triggeredBy,
                Integer status,
                String detail,
                String requestId) {
            return new Row(
                    kind,
                    target,
                    keys,
                    triggeredBy,
                    null,
                    status,
                    detail,
                    requestId,
                    Instant.now().toString());
        }

        /** A read replica that calls no longer wait for, or wait for again. */
        public static Row ofReplica(String name, boolean passedOver, String why) {
            return new Row(
                    "replica",
                    null,
                    null,
                    "queue",
                    passedOver ? "passed over" : "caught up",
                    null,
                    why == null ? name : name + ": " + why,
                    null,
                    Instant.now().toString());
        }
    }

    /** The aggregation strategy of the aggregator. */
    public static final class Gathering {
        public List<Row> gather(List<Row> soFar, Row next) {
            List<Row> rows = soFar == null ? new ArrayList<>() : soFar;
            rows.add(next);
            return rows;
        }
    }

    private record Old(double retentionSeconds, int limit) {}

    private static final Logger LOG = LoggerFactory.getLogger(AuditLog.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROWS = 10_000;

    private final SqlFile write = SqlFile.of("audit/write-audit");
    private final SqlFile countRefused = SqlFile.of("audit/count-refused-audit");
    private final SqlFile forget = SqlFile.of("audit/forget-audit");
    private final Transactions transactions;
    private final Duration retention;

    public AuditLog(Transactions transactions, Duration retention) {
        this.transactions = transactions;
        this.retention = retention;
    }

    public Row request(String what, String detail) {
        return Row.of(
                "request",
                null,
                null,
                "manual",
                null,
                detail == null || detail.isEmpty() ? what : what + '?' + detail,
                null);
    }

    /** A row that the table refuses must not hold up the others: it is found by bisection, and skipped. */
    public void write(List<Row> rows) throws SQLException {
        String json = json(rows);
        try {
            transactions.in(c -> write.update(c, Map.of("rows", json)));
        } catch (SQLException e) {
            if (!SqlState.isRefused(e)) {
                throw e;
            }
            if (rows.size() == 1) {
                LOG.warn("The table invalidation_audit refuses a row, which is skipped: {}", e.getMessage());
                transactions.in(c -> countRefused.update(c, Map.of()));
                return;
            }
            write(rows.subList(0, rows.size() / 2));
            write(rows.subList(rows.size() / 2, rows.size()));
        }
    }

    private static String json(List<Row> rows) {
        try {
            return JSON.writeValueAsString(rows);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    public void forgetOld() throws SQLException {
        int rows;
        do {
            Old old = new Old(retention.toMillis() / 1000.0, ROWS);
            rows = transactions.in(c -> forget.row(c, old, Integer.class));
        } while (rows == ROWS);
    }
}
