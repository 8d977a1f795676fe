package dev.freshet.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.DriverDataSource;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.postgresql.Driver;

/** The way to the database: a pool for work, and single connections for what takes its time. */
public final class Database implements AutoCloseable {
    /** As console-surroundings.sql counts instances. */
    private static final String APPLICATION =
            "freshet " + ProcessHandle.current().pid();
    /** After this, the server ends a transaction whose client says nothing. None of ours pauses for a tenth of it. */
    static final String IDLE_IN_TRANSACTION = "5s";
    /** A host that is gone is noticed within 20 s, and one that takes no more bytes as well. */
    private static final String DEAD_HOSTS =
            "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2"
                    + " -c tcp_user_timeout=20s";

    /**
     * A plan that was made while a queue was empty is a bad one when it is full, and what is known of how full it is is
     * always old: whatever the planner believes, a few rows are joined to a table by its index.
     */
    private static final String PLANS = " -c plan_cache_mode=force_custom_plan -c jit=off -c random_page_cost=1.1"
            + " -c enable_seqscan=off -c enable_mergejoin=off";

    private final DatabaseUrl address;
    private final HikariDataSource pool;

    /** @throws Refusal if nothing answers there within {@code patience}, or what answers will not do */
    public static Database open(DatabaseUrl address, int poolSize, Duration answerTimeout, Duration patience) {
        new FirstContact(address).within(patience, single(address));
        return new Database(address, poolSize, answerTimeout);
    }

    private Database(DatabaseUrl address, int poolSize, Duration answerTimeout) {
        this.address = address;
        HikariConfig config = new HikariConfig();
        config.setPoolName("freshet");
        config.setJdbcUrl(address.jdbcUrl());
        config.setUsername(address.user());
        config.setPassword(address.password());
        config.setMaximumPoolSize(poolSize);
        config.setConnectionTimeout(5_000);
        config.setValidationTimeout(2_000);
        config.setKeepaliveTime(30_000);
        config.setMaxLifetime(600_000);
        config.addDataSourceProperty("connectTimeout", "5");
        config.addDataSourceProperty("tcpKeepAlive", "true");
        config.addDataSourceProperty("socketTimeout", Long.toString(answerTimeout.toSeconds()));
        if (address.pooled()) {
            config.addDataSourceProperty("prepareThreshold", "0");
        } else {
            config.addDataSourceProperty("ApplicationName", APPLICATION);
            config.addDataSourceProperty(
                    "options",
                    DEAD_HOSTS
                            + " -c idle_in_transaction_session_timeout=" + IDLE_IN_TRANSACTION
                            + " -c default_transaction_isolation=read\\ committed" + PLANS);
        }
        this.pool = new HikariDataSource(config);
    }

    public DatabaseUrl address() {
        return address;
    }

    public DataSource pool() {
        return pool;
    }

    public Transactions transactions() {
        return new Transactions(pool, address.pooled());
    }

    /** A connection of its own each time, on which a statement may take as long as it needs. */
    public DataSource single() {
        return single(address);
    }

    @Override
    public void close() {
        pool.close();
    }

    private static DataSource single(DatabaseUrl address) {
        Properties properties = new Properties();
        properties.setProperty("connectTimeout", "5");
        properties.setProperty("tcpKeepAlive", "true");
        if (address.pooled()) {
            properties.setProperty("prepareThreshold", "0");
        } else {
            properties.setProperty("ApplicationName", APPLICATION);
            properties.setProperty(
                    "options", DEAD_HOSTS); // no more: Flyway holds its lock in a transaction that is idle
        }
        // pgjdbc's own data sources put every option into the URL, which Flyway then searches for passwords for most of
        // a second
        return new DriverDataSource(
                address.jdbcUrl(), Driver.class.getName(), properties, address.user(), address.password());
    }
}
