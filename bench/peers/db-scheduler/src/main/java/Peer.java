import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.task.TaskInstance;
import com.github.kagkarlsson.scheduler.task.helper.OneTimeTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** db-scheduler as a worker that makes one call a task; it speaks as bench/peers/protocol.mjs does. */
public final class Peer {
    private static final int THREADS = 20;
    private static final URI TARGET = URI.create(System.getenv("PEER_TARGET"));
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    /** As db-scheduler's documentation has it. */
    private static final String TABLE = """
        CREATE TABLE scheduled_tasks (task_name text NOT NULL, task_instance text NOT NULL, task_data bytea,
            execution_time timestamptz NOT NULL, picked boolean NOT NULL, picked_by text, last_success timestamptz,
            last_failure timestamptz, consecutive_failures int, last_heartbeat timestamptz, version bigint NOT NULL,
            priority smallint, state text, PRIMARY KEY (task_name, task_instance));
        CREATE INDEX execution_time_idx ON scheduled_tasks (execution_time);
        CREATE INDEX last_heartbeat_idx ON scheduled_tasks (last_heartbeat)\
        """;

    private Peer() {}

    public static void main(String[] args) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(System.getenv("PEER_JDBC"));
        config.setMaximumPoolSize(THREADS + 4);
        DataSource database = new HikariDataSource(config);
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(TABLE);
        }
        OneTimeTask<Void> task = Tasks.oneTime("revalidate").execute((instance, context) -> call(instance.getId()));
        Scheduler scheduler = Scheduler.create(database, task)
                .threads(THREADS)
                .pollUsingLockAndFetch(4.0, 20.0)
                .pollingInterval(Duration.ofMillis(100))
                .build();
        scheduler.start();
        System.out.println("{\"ready\":true}");
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = commands.readLine()) != null; ) {
            System.out.println(answer(line.split(" "), scheduler, task, database));
        }
        System.exit(0);
    }

    private static String answer(String[] command, Scheduler scheduler, OneTimeTask<Void> task, DataSource database)
            throws SQLException {
        switch (command[0]) {
            case "insert" -> {
                List<TaskInstance<?>> all = new ArrayList<>();
                for (int i = 0; i < Integer.parseInt(command[1]); i++) {
                    all.add(task.instance(command[2] + "-" + i));
                }
                scheduler.scheduleBatch(all, Instant.now());
            }
            case "one" -> scheduler.schedule(task.instance(command[1]), Instant.now());
            default -> {
                return "{\"left\":" + left(database) + "}";
            }
        }
        Instant now = Instant.now();
        return "{\"at\":" + (now.getEpochSecond() * 1000 + now.getNano() / 1e6) + "}";
    }

    private static long left(DataSource database) throws SQLException {
        try (var connection = database.getConnection();
                var statement = connection.createStatement();
                var result = statement.executeQuery("SELECT count(*) FROM scheduled_tasks")) {
            result.next();
            return result.getLong(1);
        }
    }

    private static void call(String tag) {
        HttpRequest request = HttpRequest.newBuilder(TARGET)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"tag\":\"" + tag + "\"}"))
                .build();
        try {
            int status =
                    HTTP.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
            if (status != 200) {
                throw new IllegalStateException("status " + status);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
