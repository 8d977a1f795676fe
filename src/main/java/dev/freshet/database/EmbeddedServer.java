package dev.freshet.database;

import dev.freshet.settings.CannotStart;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A real PostgreSQL of Freshet's own, with its data in a folder that outlives the process. */
public final class EmbeddedServer implements AutoCloseable {
    static final String MAJOR_VERSION = "18";
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedServer.class);
    private static final String DATABASE = "freshet";
    /** This file is in the data folder once initdb has completed; a folder without it contains no one's data. */
    private static final String COMPLETE = "freshet-complete";

    private final FolderLock lock;
    private final EmbeddedPostgres postgres;

    private EmbeddedServer(FolderLock lock, EmbeddedPostgres postgres) {
        this.lock = lock;
        this.postgres = postgres;
    }

    /**
     * @param port preferred port; if it is taken, or 0, any free one
     * @throws CannotStart if the folder is in use, not writable, or of another version
     */
    public static EmbeddedServer start(Path folder, int port) {
        FolderLock lock = FolderLock.take(folder.toAbsolutePath().normalize());
        try {
            Path data = lock.folder().toRealPath().resolve("postgres");
            prepare(data, folder);
            EmbeddedPostgres postgres =
                    startOn(data, port, lock.folder().resolve("postgres.log").toFile());
            Files.writeString(data.resolve(COMPLETE), "");
            EmbeddedServer server = new EmbeddedServer(lock, postgres);
            server.createDatabase();
            LOG.info("Freshet's own PostgreSQL, with its data in {}: {}", data, server.url());
            return server;
        } catch (IOException | SQLException | IllegalStateException e) {
            lock.close();
            throw new CannotStart("Freshet's own PostgreSQL does not start in " + folder + " (" + firstLine(e)
                    + "): see postgres.log there, " + "or set DATABASE_URL to use another");
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    public String url() {
        return "postgres://postgres@127.0.0.1:" + postgres.getPort() + "/" + DATABASE;
    }

    public DatabaseUrl address() {
        return new DatabaseUrl("127.0.0.1:" + postgres.getPort(), DATABASE, "postgres", null, Map.of(), false);
    }

    @Override
    public void close() {
        try {
            postgres.close();
        } catch (IOException e) {
            LOG.warn("Freshet's own PostgreSQL did not stop: {}", e.toString());
        } finally {
            lock.close();
        }
    }

    private static void prepare(Path data, Path folder) throws IOException {
        Path version = data.resolve("PG_VERSION");
        if (Files.isDirectory(data) && !Files.exists(data.resolve(COMPLETE))) {
            Orphan.of(data).stop();
            Folders.delete(data);
        } else if (Files.exists(version) && !Files.readString(version).trim().equals(MAJOR_VERSION)) {
            throw new CannotStart("FRESHET_DATA_DIR is \"" + folder + "\": its data are PostgreSQL "
                    + Files.readString(version).trim() + "'s, but this Freshet brings PostgreSQL " + MAJOR_VERSION
                    + "; set FRESHET_DATA_DIR to another folder, or move it aside");
        }
    }

    /** A server that is found running was left over when its Freshet was killed. */
    private static EmbeddedPostgres startOn(Path data, int preferred, File log) throws IOException {
        Orphan orphan = Orphan.of(data);
        if (orphan.answers()) {
            return start(data, log, orphan.port());
        }
        IOException failure = null;
        for (int attempt = 0; attempt < 3; attempt++) {
            Orphan.of(data).stop();
            try {
                int port = attempt == 0 && isFree(preferred) ? preferred : freePort();
                EmbeddedPostgres postgres = start(data, log, port);
                if (Orphan.of(data).isReadyAt(port)) {
                    return postgres;
                }
                postgres.close();
                failure = new IOException("another server took port " + port);
            } catch (IOException e) {
                failure = e;
            }
        }
        Orphan.of(data).stop();
        throw failure;
    }

    private static EmbeddedPostgres start(Path data, File log, int port) throws IOException {
        return EmbeddedPostgres.builder()
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setPort(port)
                .setRegisterShutdownHook(false) // the hook would stop the database while Freshet still hands back
                .setPGStartupWait(Duration.ofSeconds(20))
                .setServerConfig("fsync", "on") // the library's default is off
                .setServerConfig("listen_addresses", "127.0.0.1")
                .setServerConfig("unix_socket_directories", "")
                .setServerConfig("log_checkpoints", "off")
                .setOutputRedirector(Redirect.appendTo(log))
                .setErrorRedirector(Redirect.appendTo(log))
                .start();
    }

    private void createDatabase() throws SQLException {
        try (Connection connection = DriverManager.getConnection(postgres.getJdbcUrl("postgres", "postgres"));
                Statement statement = connection.createStatement()) {
            ResultSet there = statement.executeQuery("SELECT 1 FROM pg_database WHERE datname = '" + DATABASE + "'");
            if (!there.next()) {
                statement.execute("CREATE DATABASE " + DATABASE);
            }
        }
    }

    private static boolean isFree(int port) {
        try {
            new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
            return port != 0;
        } catch (IOException taken) {
            return false;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String firstLine(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
    }
}
