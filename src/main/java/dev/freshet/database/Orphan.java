package dev.freshet.database;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What postmaster.pid in a data folder refers to: a server that still runs because its Freshet was killed, or nothing.
 * The process id alone proves nothing: after a restart of the container it often belongs to another process.
 */
final class Orphan {
    private static final int PATIENCE_SECONDS = 5;

    private final Path data;
    private final long process;
    private final int port;
    private final String status;

    private Orphan(Path data, long process, int port, String status) {
        this.data = data;
        this.process = process;
        this.port = port;
        this.status = status;
    }

    static Orphan of(Path data) {
        try {
            List<String> lines = Files.readAllLines(data.resolve("postmaster.pid"));
            return new Orphan(
                    data,
                    Long.parseLong(lines.get(0).trim()),
                    Integer.parseInt(lines.get(3).trim()),
                    lines.size() < 8 ? "" : lines.get(7).trim());
        } catch (IOException | RuntimeException e) {
            return new Orphan(data, 0, 0, "");
        }
    }

    int port() {
        return port;
    }

    boolean answers() {
        return port != 0 && isServerOf(data, port);
    }

    /**
     * Whether the server of this folder takes connections on that port, even if it answers slowly, as on a busy
     * machine. If another server has the port, ours has ended or has not come so far.
     */
    boolean isReadyAt(int expected) {
        return port == expected && status.equals("ready");
    }

    /** Whether the server on that port uses that folder. */
    static boolean isServerOf(Path data, int port) {
        String url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres?user=postgres&connectTimeout=2&socketTimeout=5";
        try (Connection connection = DriverManager.getConnection(url);
                ResultSet row = connection.createStatement().executeQuery("SELECT current_setting('data_directory')")) {
            row.next();
            return Path.of(row.getString(1)).toRealPath().equals(data.toRealPath());
        } catch (SQLException | IOException | RuntimeException e) {
            return false;
        }
    }

    /**
     * Stops the server, first gently, then forcibly; the data survives both. If the file refers to no server of ours it
     * is removed, because PostgreSQL would trust it.
     */
    void stop() throws IOException {
        Optional<ProcessHandle> server =
                process == 0 ? Optional.empty() : ProcessHandle.of(process).filter(this::isOurs);
        if (server.isPresent() && !endsAfter(server.get(), server.get().destroy())) {
            endsAfter(server.get(), server.get().destroyForcibly());
        }
        Files.deleteIfExists(data.resolve("postmaster.pid"));
    }

    private boolean isOurs(ProcessHandle handle) {
        String command = handle.info().commandLine().orElse("");
        return command.contains("postgres") && command.contains(data.toString());
    }

    private static boolean endsAfter(ProcessHandle server, boolean asked) {
        try {
            server.onExit().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (java.util.concurrent.ExecutionException e) {
            return !server.isAlive();
        }
    }
}
