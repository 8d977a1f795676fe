package dev.freshet.observe;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** Reports down while the database does not answer. Anyone may ask, so an answer is reused for a second. */
public final class DatabaseCheck extends AbstractHealthCheck {
    private static final long HOLDS_NANOS = 1_000_000_000L;
    private static final int PATIENCE_SECONDS = 2;

    private final DataSource dataSource;
    private boolean answered;
    private long askedAt;
    private boolean asked;

    public DatabaseCheck(DataSource dataSource) {
        super(PublicHealth.GROUP, "database");
        this.dataSource = dataSource;
    }

    /** False, because a restart of Freshet would not bring the database back. */
    @Override
    public boolean isLiveness() {
        return false;
    }

    @Override
    protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
        if (answers()) {
            builder.up().message("the database answers");
        } else {
            builder.down().message("the database does not answer");
        }
    }

    private synchronized boolean answers() {
        if (!asked || System.nanoTime() - askedAt > HOLDS_NANOS) {
            try (Connection connection = dataSource.getConnection()) {
                answered = connection.isValid(PATIENCE_SECONDS);
            } catch (SQLException e) {
                answered = false;
            }
            askedAt = System.nanoTime();
            asked = true;
        }
        return answered;
    }
}
