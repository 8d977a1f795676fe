package dev.freshet.testing;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/**
 * A database of its own in a real, hostile PostgreSQL, one server per test JVM: the sessions' time zone is Kathmandu's,
 * DateStyle is German, and Freshet's role is an ordinary one that owns its database but is not a superuser.
 */
public final class TestDatabase implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static EmbeddedPostgres server;
    private static TestDatabase migrated;

    private final String name;
    private final List<HikariDataSource> pools = new ArrayList<>();

    public static synchronized TestDatabase empty() throws Exception {
        startServer();
        TestDatabase database = new TestDatabase("test" + COUNT.incrementAndGet(), "template1");
        try (Connection c = DriverManager.getConnection(server.getJdbcUrl("postgres", database.name));
                Statement s = c.createStatement()) {
            s.execute("ALTER SCHEMA public OWNER TO freshet");
        }
        return database;
    }

    /** A database with Freshet's schema: a copy of one that was migrated once. */
    public static synchronized TestDatabase migrated() throws Exception {
        if (migrated == null) {
            migrated = empty();
            migrated.migrate();
        }
        return new TestDatabase("test" + COUNT.incrementAndGet(), migrated.name);
    }

    private static void startServer() throws Exception {
        if (server == null) {
            server = EmbeddedPostgres.builder()
                    .setServerConfig("timezone", "Asia/Kathmandu")
                    .setServerConfig("datestyle", "'German, DMY'")
                    .setServerConfig("max_connections", "200")
                    .setServerConfig("fsync", "off")
                    .setServerConfig("deadlock_timeout", "1s")
                    .start();
            Runtime.getRuntime().addShutdownHook(new Thread(TestDatabase::stopServer));
            try (Connection c = server.getPostgresDatabase().getConnection();
                    Statement s = c.createStatement()) {
                s.execute("CREATE ROLE freshet LOGIN");
            }
        }
    }

    private static void stopServer() {
        try {
            server.close();
        } catch (IOException e) {
            System.err.println("the test server did not stop: " + e);
        }
    }

    private TestDatabase(String name, String template) throws SQLException {
        this.name = name;
        try (Connection c = server.getPostgresDatabase().getConnection();
                Statement s = c.createStatement()) {
            // by files: half the work of the usual way, and the server does not wait for the disk
            s.execute("CREATE DATABASE " + name + " OWNER freshet TEMPLATE " + template + " STRATEGY file_copy");
        }
    }

    public void migrate() {
        Flyway.configure()
                .dataSource(jdbcUrl(), "freshet", "")
                .locations("classpath:sql/migrations", "classpath:sql/functions")
                .defaultSchema("freshet")
                .schemas("freshet")
                .createSchemas(true)
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .load()
                .migrate();
    }

    public int port() {
        return server.getPort();
    }

    public String name() {
        return name;
    }

    public String jdbcUrl() {
        return server.getJdbcUrl("freshet", name);
    }

    /** In the form that DATABASE_URL takes. */
    public String url() {
        return "postgres://freshet@localhost:" + port() + "/" + name;
    }

    public Connection connect() throws SQLException {
        return DriverManager.getConnection(jdbcUrl());
    }

    public Connection connectAs(String role) throws SQLException {
        return DriverManager.getConnection(server.getJdbcUrl(role, name));
    }

    public DataSource pool(int size) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(jdbcUrl());
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(5_000); // as in Database
        HikariDataSource pool = new HikariDataSource(config);
        pools.add(pool);
        return pool;
    }

    public void run(String sql) throws SQLException {
        try (Connection c = connect()) {
            run(c, sql);
        }
    }

    public void runAsSuperuser(String sql) throws SQLException {
        try (Connection c = connectAs("postgres")) {
            run(c, sql);
        }
    }

    /** From now on nobody is connected or can connect. */
    public void cutOff() throws SQLException {
        try (Connection c = server.getPostgresDatabase().getConnection()) {
            run(c, "ALTER DATABASE " + name + " ALLOW_CONNECTIONS false");
            run(c, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + name + "'");
        }
    }

    public void letIn() throws SQLException {
        try (Connection c = server.getPostgresDatabase().getConnection()) {
            run(c, "ALTER DATABASE " + name + " ALLOW_CONNECTIONS true");
        }
    }

    public static void run(Connection connection, String sql) throws SQLException {
        try (Statement s = connection.createStatement()) {
            s.execute(sql);
        }
    }

    /** The first column of every row, as text. */
    public List<String> list(String sql, Object... arguments) throws SQLException {
        try (Connection c = connect()) {
            return list(c, sql, arguments);
        }
    }

    public static List<String> list(Connection connection, String sql, Object... arguments) throws SQLException {
        try (PreparedStatement s = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) {
                s.setObject(i + 1, arguments[i]);
            }
            List<String> values = new ArrayList<>();
            try (ResultSet r = s.executeQuery()) {
                while (r.next()) {
                    values.add(r.getString(1));
                }
            }
            return values;
        }
    }

    public String one(String sql, Object... arguments) throws SQLException {
        return list(sql, arguments).get(0);
    }

    @Override
    public void close() throws SQLException {
        pools.forEach(HikariDataSource::close);
        try (Connection c = server.getPostgresDatabase().getConnection();
                Statement s = c.createStatement()) {
            s.execute("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
        }
    }
}
