package dev.freshet.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.settings.CannotStart;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedServerTest {
    @TempDir
    private Path folder;

    @Test
    void the_version_is_the_expected_one_and_commits_are_flushed_to_disk() throws Exception {
        try (EmbeddedServer server = EmbeddedServer.start(folder, 0)) {
            assertEquals(
                    EmbeddedServer.MAJOR_VERSION,
                    Files.readString(folder.resolve("postgres/PG_VERSION")).trim());
            assertEquals("on", setting(server, "fsync"));
            assertTrue(assertThrows(CannotStart.class, () -> EmbeddedServer.start(folder, 0))
                    .getMessage()
                    .contains("another Freshet"));
        }
    }

    @Test
    void a_stale_pid_file_that_names_another_process_is_no_obstacle() throws Exception {
        EmbeddedServer.start(folder, 0).close();
        Path data = folder.toRealPath().resolve("postgres");
        Files.writeString(
                data.resolve("postmaster.pid"), ProcessHandle.current().pid() + "\n" + data + "\n0\n1\n");
        try (EmbeddedServer server = EmbeddedServer.start(folder, 0)) {
            assertEquals("on", setting(server, "fsync"));
        }
    }

    @Test
    void a_server_of_another_folder_is_not_mistaken_for_ours() throws Exception {
        try (EmbeddedServer server = EmbeddedServer.start(folder.resolve("one"), 0)) {
            int port = Integer.parseInt(server.address().hosts().split(":")[1]);
            assertTrue(Orphan.isServerOf(folder.resolve("one/postgres"), port));
            assertFalse(Orphan.isServerOf(Files.createDirectory(folder.resolve("two")), port));
        }
    }

    @Test
    void a_server_that_is_slow_to_answer_is_still_ours() throws Exception {
        try (EmbeddedServer server = EmbeddedServer.start(folder, 0)) {
            int port = Integer.parseInt(server.address().hosts().split(":")[1]);
            Path data = folder.resolve("postgres");
            Path file = data.resolve("postmaster.pid");
            String process = Files.readAllLines(file).get(0).trim();
            signal("STOP", process);
            try {
                assertTrue(Orphan.of(data).isReadyAt(port));
                assertFalse(Orphan.of(data).isReadyAt(port + 1));
            } finally {
                signal("CONT", process);
            }
            Path starting = Files.createDirectory(folder.resolve("starting"));
            Files.writeString(
                    starting.resolve("postmaster.pid"), Files.readString(file).replace("ready", "starting"));
            assertFalse(Orphan.of(starting).isReadyAt(port));
        }
    }

    private static void signal(String name, String process) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, process).start().waitFor());
    }

    @Test
    void the_port_stays_the_same_after_a_restart_unless_it_is_taken() throws Exception {
        String first;
        try (EmbeddedServer server = EmbeddedServer.start(folder.resolve("one"), 0)) {
            first = server.address().hosts();
        }
        int port = Integer.parseInt(first.split(":")[1]);
        try (EmbeddedServer again = EmbeddedServer.start(folder.resolve("one"), port);
                EmbeddedServer other = EmbeddedServer.start(folder.resolve("two"), port)) {
            assertEquals(first, again.address().hosts());
            assertNotEquals(first, other.address().hosts());
        }
    }

    private static String setting(EmbeddedServer server, String name) throws Exception {
        try (Connection connection =
                        DriverManager.getConnection(server.address().jdbcUrl(), "postgres", "");
                ResultSet row = connection.createStatement().executeQuery("SELECT current_setting('" + name + "')")) {
            row.next();
            return row.getString(1);
        }
    }
}
