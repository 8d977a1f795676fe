package dev.freshet.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.DriverDataSource;
import dev.freshet.settings.CannotStart;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.postgresql.Driver;

/** Access to the database: a pool for work, and single connections for statements that take long. */
public final class Database implements AutoCloseable {
    /** console-surroundings.sql counts instances by this name. */
    private static final String APPLICATION =
            "freshet " + ProcessHandle.current().pid();
    /** After this, the server ends a transaction whose client is silent. Our own pauses are less than a tenth of it. */
    static final String IDLE_IN_TRANSACTION = "5s";
    /** A host that is gone is noticed within 20 s, and so is one that accepts no more bytes. */
    private static final String DEAD_HOSTS =
            "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2"
                    + " -c tcp_user_timeout=20s";

    /**
     * A plan that was made while a queue was empty is bad when the queue is full, and the statistics on that are always
     * outdated. With these settings, whatever the planner estimates, a few rows are joined to a table by its index.
     */
    private static final String PLANS = " -c plan_cache_mode=force_custom_plan -c jit=off -c random_page_cost=1.1"
            + " -c enable_seqscan=off -c enable_mergejoin=off";

    private final DatabaseUrl address;
    private final HikariDataSource pool;

    /** @throws CannotStart if nothing answers there within {@code patience}, or if the server is not suitable */
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

    /** Provides a new connection each time, on which a statement may take as long as it needs. */
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
                    "options", DEAD_HOSTS); // only these options: Flyway holds its lock in an idle transaction
        }
        // pgjdbc's own data sources put every option into the URL, and Flyway would search that for passwords, which
        // takes most of a second
        return new DriverDataSource(
                address.jdbcUrl(), Driver.class.getName(), properties, address.user(), address.password());
    }
}
