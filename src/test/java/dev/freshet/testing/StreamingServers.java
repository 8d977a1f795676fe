package dev.freshet.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A PostgreSQL that others follow, made with the binaries that Freshet brings, which include no pg_basebackup. */
public final class StreamingServers implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    public final Server primary;
    private final List<Server> all = new ArrayList<>();

    /** One server, which can be stopped, killed and started again. */
    public static final class Server {
        public final int port;
        private final Path data;
        private EmbeddedPostgres process;
        private long postmaster;

        private Server(Path data) throws IOException {
            this.data = data;
            this.port = Installed.freePort();
        }

        public Server start() throws IOException {
            process = EmbeddedPostgres.builder()
                    .setDataDirectory(data)
                    .setCleanDataDirectory(false)
                    .setPort(port)
                    .setRegisterShutdownHook(false)
                    .setServerConfig("fsync", "off")
                    .setServerConfig("max_connections", "100")
                    .setServerConfig("synchronous_commit", "on")
                    .setPGStartupWait(PATIENCE)
                    .start();
            postmaster = Long.parseLong(
                    Files.readAllLines(data.resolve("postmaster.pid")).get(0).strip());
            return this;
        }

        /** In the form that FRESHET_REPLICAS and DATABASE_URL take. */
        public String url(String database) {
            return "postgres://freshet:pass%20word@127.0.0.1:" + port + "/" + database;
        }

        public String name(String database) {
            return "127.0.0.1:" + port + "/" + database;
        }

        public Connection connect(String database) throws SQLException {
            return DriverManager.getConnection(
                    "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?user=postgres");
        }

        public void run(String database, String... statements) throws SQLException {
            try (Connection c = connect(database);
                    Statement s = c.createStatement()) {
                for (String statement : statements) {
                    s.execute(statement);
                }
            }
        }

        public String one(String database, String sql) throws SQLException {
            return list(database, sql).get(0);
        }

        public List<String> list(String database, String sql) throws SQLException {
            try (Connection c = connect(database)) {
                return TestDatabase.list(c, sql);
            }
        }

        /** From now on a replica lacks what is committed, until {@link #resumeReplay}. */
        public void pauseReplay() throws SQLException {
            run("postgres", "SELECT pg_wal_replay_pause()");
            Scene.until(
                    "paused",
                    () -> one("postgres", "SELECT pg_get_wal_replay_pause_state()")
                            .equals("paused"));
        }

        public void resumeReplay() throws SQLException {
            run("postgres", "SELECT pg_wal_replay_resume()");
        }

        /** A replica gets each commit this much later. */
        public void delayReplay(String delay) throws SQLException {
            run("postgres", "ALTER SYSTEM SET recovery_min_apply_delay = '" + delay + "'", "SELECT pg_reload_conf()");
            Scene.until(
                    "delayed",
                    () -> one("postgres", "SHOW recovery_min_apply_delay").equals(delay));
        }

        /** A replica follows as fast as it can. */
        public void followAtOnce() throws SQLException {
            run(
                    "postgres",
                    "SELECT pg_wal_replay_resume()",
                    "ALTER SYSTEM RESET recovery_min_apply_delay",
                    "SELECT pg_reload_conf()");
        }

        /** Sends a signal to every process of the server. */
        public void send(Signal signal) {
            List<Long> processes = new ArrayList<>(List.of(postmaster));
            ProcessHandle.of(postmaster).stream()
                    .flatMap(ProcessHandle::descendants)
                    .forEach(child -> processes.add(child.pid()));
            signal.to(processes);
        }

        public void kill9() {
            send(Signal.KILL);
            Eventually.is(
                    PATIENCE,
                    () -> ProcessHandle.of(postmaster).isEmpty()
                            || !ProcessHandle.of(postmaster).get().isAlive(),
                    () -> "the server ends");
            letGo();
        }

        private void letGo() {
            try {
                process.close();
            } catch (IOException e) {
                send(Signal.KILL);
            }
        }

        private void close() {
            send(Signal.CONT);
            letGo();
        }
    }

    public StreamingServers() throws Exception {
        primary = new Server(Files.createTempDirectory("freshet-it-primary-"));
        all.add(primary);
        primary.start().run("postgres", "CREATE ROLE freshet LOGIN PASSWORD 'pass word'");
    }

    /** Creates a database that belongs to Freshet's role, which is not a superuser. */
    public void createDatabase(String name) throws SQLException {
        primary.run("postgres", "CREATE DATABASE " + name + " OWNER freshet");
        primary.run(name, "ALTER SCHEMA public OWNER TO freshet");
    }

    /** Adds a server that follows the primary. */
    public Server addReplica() throws Exception {
        Path copy = Files.createTempDirectory("freshet-it-replica-");
        try (Connection backup = primary.connect("postgres");
                Statement s = backup.createStatement()) {
            s.execute("SELECT pg_backup_start('replica', true)");
            copy(primary.data, copy);
            try (ResultSet label = s.executeQuery("SELECT labelfile FROM pg_backup_stop(false)")) {
                label.next();
                Files.writeString(copy.resolve("backup_label"), label.getString(1));
            }
        }
        Files.writeString(copy.resolve("standby.signal"), "");
        Files.writeString(
                copy.resolve("postgresql.auto.conf"),
                "primary_conninfo = 'host=127.0.0.1 port=" + primary.port
                        + " user=postgres'\nwal_receiver_status_interval = 1\n",
                StandardOpenOption.APPEND);
        Server replica = new Server(copy);
        all.add(replica);
        return replica.start();
    }

    /** Files come and go while the server runs; the replica fetches the WAL that it needs by itself. */
    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> walk = Files.walk(from)) {
            walk.forEach(path -> {
                Path part = from.relativize(path);
                Path at = to.resolve(part.toString());
                boolean isWal = part.startsWith("pg_wal") && Files.isRegularFile(path);
                try {
                    if (Files.isDirectory(path)) {
                        Files.createDirectories(at);
                    } else if (!isWal && !part.toString().startsWith("postmaster.")) {
                        Files.copy(path, at);
                    }
                } catch (NoSuchFileException e) {
                    // it has been removed meanwhile
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        Files.setPosixFilePermissions(to, Files.getPosixFilePermissions(from));
    }

    /** Waits until everything that is committed now is on the replica. */
    public void awaitReplayed(Server replica) throws SQLException {
        String position = primary.one("postgres", "SELECT pg_current_wal_flush_lsn()");
        Scene.until(
                "replayed " + position,
                () -> replica.one("postgres", "SELECT pg_last_wal_replay_lsn() >= '" + position + "'")
                        .equals("t"));
    }

    @Override
    public void close() {
        for (int i = all.size() - 1; i >= 0; i--) {
            all.get(i).close();
        }
    }
}
