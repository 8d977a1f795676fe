package dev.freshet.source;

import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;

/**
 * What the tests of the way in share: a database where an ordinary role, app, owns the tables, and a session of that
 * role.
 */
@TestInstance(Lifecycle.PER_CLASS)
public abstract class WayIn {
    TestDatabase database;
    Connection app;

    @BeforeAll
    void open() throws Exception {
        database = TestDatabase.empty();
        role("app");
        role("writer");
        // a role called freshet would find schema freshet first
        database.runAsSuperuser("ALTER DATABASE " + database.name()
                + " SET search_path = public; GRANT CREATE, USAGE ON SCHEMA public TO app");
        database.migrate();
        database.run("GRANT EXECUTE ON FUNCTION cache_invalidation_watch(regclass, text[], text[], text[]),"
                + " cache_invalidation_unwatch(regclass), enqueue_cache_invalidation(text),"
                + " enqueue_cache_invalidation(text[]) TO app; GRANT SELECT ON cache_invalidation_watches TO app");
        app = database.connectAs("app");
    }

    @AfterAll
    void close() throws Exception {
        app.close();
        database.close();
    }

    @BeforeEach
    void forget() throws Exception {
        database.run("DELETE FROM freshet.inbox");
    }

    void role(String name) throws SQLException {
        database.runAsSuperuser(
                "DO $$ BEGIN CREATE ROLE " + name + " LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    }

    void run(String sql) throws SQLException {
        TestDatabase.run(app, sql);
    }

    String one(String sql) throws SQLException {
        return TestDatabase.list(app, sql).get(0);
    }

    void watch(String table, String... templates) throws SQLException {
        try (var s = app.prepareStatement("SELECT cache_invalidation_watch(?::text, ?)")) {
            s.setString(1, table);
            s.setArray(2, app.createArrayOf("text", templates));
            s.execute();
        }
    }

    /** The tags of all rows of the inbox, in order of tag. A skipped tag is null. */
    List<String> queued() throws SQLException {
        return database.list("DELETE FROM freshet.inbox RETURNING tag").stream()
                .sorted(java.util.Comparator.nullsFirst(java.util.Comparator.naturalOrder()))
                .toList();
    }

    /** Asserts that this statement queues these tags, each as often as it is in the inbox. */
    void queues(String sql, String... tags) throws SQLException {
        run(sql);
        Assertions.assertEquals(
                Arrays.stream(tags)
                        .sorted(java.util.Comparator.nullsFirst(java.util.Comparator.naturalOrder()))
                        .toList(),
                queued(),
                sql);
    }

    public String refused(String sql) {
        return refused(app, sql);
    }

    public static String refused(Connection connection, String sql) {
        return Assertions.assertThrows(SQLException.class, () -> TestDatabase.run(connection, sql), sql)
                .getMessage();
    }

    /** The notices and warnings that a statement raises. */
    public static List<String> warnings(Connection connection, String sql) throws SQLException {
        List<String> all = new ArrayList<>();
        try (Statement s = connection.createStatement()) {
            s.execute(sql);
            for (SQLWarning w = s.getWarnings(); w != null; w = w.getNextWarning()) {
                all.add(w.getMessage());
            }
        }
        return all;
    }
}
