package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Installed;
import dev.freshet.testing.Scene;
import dev.freshet.testing.StreamingServers;
import dev.freshet.testing.Varnish;
import dev.freshet.testing.Walkthrough;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Runs what docs/next.md says about three processes, a read replica and a CDN in front, as written there: with three
 * Node processes, a PostgreSQL that streams to another one, and Varnish. Skipped if one of them is missing.
 */
class NextPageIT {
    private static final String DATABASE = "shop";
    private static final List<String> PAGES =
            IntStream.rangeClosed(1, 30).mapToObj(i -> "/courses/" + i).toList();

    private final Walkthrough page = new Walkthrough("docs/next.md", null);
    private final List<Process> processes = new ArrayList<>();
    private final List<String> apps = new ArrayList<>();
    private StreamingServers servers;
    private StreamingServers.Server replica;
    private HttpServer data;
    private FreshetProcess freshet;
    private String edge;

    @BeforeEach
    void start() throws Exception {
        Varnish.needed();
        Installed.needs("/usr/bin/node", "nodejs");
        servers = new StreamingServers();
        replica = servers.addReplica();
        servers.createDatabase(DATABASE);
        servers.primary.run(
                DATABASE,
                "SET ROLE freshet",
                "CREATE TABLE courses (id integer PRIMARY KEY, title text)",
                "INSERT INTO courses SELECT i, 'old' FROM generate_series(1, " + PAGES.size() + ") i",
                "GRANT SELECT ON courses TO postgres");
        servers.awaitReplayed(replica);
        data = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        data.createContext("/courses/", exchange -> {
            byte[] title = title(exchange.getRequestURI().getPath()).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, title.length);
            exchange.getResponseBody().write(title);
            exchange.close();
        });
        data.start();
        for (int i = 0; i < 3; i++) {
            apps.add(startApp());
        }
        edge = startVarnish();
    }

    @AfterEach
    void stop() throws Exception {
        if (freshet != null) {
            freshet.kill9();
        }
        for (Process process : processes) {
            process.destroy();
            process.waitFor();
        }
        if (data != null) {
            data.stop(0);
        }
        if (servers != null) {
            servers.close();
        }
    }

    @Test
    void the_edge_is_called_after_every_process_and_keeps_no_old_page() throws Exception {
        page.everyBlockIsRunIn(NextPageIT.class);
        startFreshet();
        servers.primary.run(DATABASE, "SET ROLE freshet", page.block("watch"));
        PAGES.forEach(this::edgeShowsOld);
        Installed.get(apps.get(2) + "/?hold");
        edit("new");
        for (String app : apps.subList(0, 2)) {
            Scene.until("told", () -> PAGES.stream().allMatch(path -> shows(app + path, "new")));
        }
        // every call that would begin without waiting has begun
        passThrough("sentinel");
        PAGES.forEach(path -> assertTrue(shows(edge + path, "old") || shows(edge + path, "new")));
        Installed.get(apps.get(2) + "/?release");
        Scene.until("no page at the edge is old", () -> PAGES.stream().allMatch(path -> shows(edge + path, "new")));
        awaitProcessed();
        assertEquals("0", servers.primary.one(DATABASE, "SELECT count(*) FROM freshet.dead_letter"));
    }

    private void edgeShowsOld(String path) {
        Scene.until(path, () -> shows(edge + path, "old"));
    }

    private static boolean shows(String url, String title) {
        try {
            return Installed.get(url).equals(title);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void edit(String title) throws SQLException {
        servers.primary.run(DATABASE, "SET ROLE freshet", "UPDATE courses SET title = '" + title + "'");
    }

    private void passThrough(String tag) throws SQLException {
        servers.primary.run(DATABASE, "SET ROLE freshet", "SELECT enqueue_cache_invalidation('" + tag + "')");
        Scene.until(
                tag,
                () -> servers.primary
                        .one(
                                DATABASE,
                                "SELECT count(*) FROM cache_invalidation_queue WHERE tag = '" + tag
                                        + "' AND last_invalidated_at IS NOT NULL")
                        .equals("1"));
    }

    private void awaitProcessed() {
        Scene.until(
                "all is processed",
                () -> servers.primary
                        .one(
                                DATABASE,
                                "SELECT count(*) FROM cache_invalidation_queue WHERE last_invalidated_at IS NULL")
                        .equals("0"));
    }

    /** Read from the replica, since the app's data comes from there. */
    private String title(String path) {
        try {
            String id = path.substring(path.lastIndexOf('/') + 1);
            return replica.one(DATABASE, "SELECT title FROM courses WHERE id = " + Integer.parseInt(id));
        } catch (SQLException e) {
            return e.getMessage();
        }
    }

    private String startApp() throws IOException {
        ProcessBuilder node = new ProcessBuilder("node", "src/test/node/shop.mjs");
        node.environment().put("REVALIDATION_SECRET", Scene.SECRET);
        node.environment()
                .put("DATA_URL", "http://127.0.0.1:" + data.getAddress().getPort());
        Process process = node.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        processes.add(process);
        return process.inputReader().readLine();
    }

    /** Configured as in docs/targets.md, in front of three processes that are asked in turn. */
    private String startVarnish() throws IOException {
        Path folder = Files.createTempDirectory("next-page-");
        StringBuilder backends = new StringBuilder("import directors;\n");
        StringBuilder turns = new StringBuilder("sub vcl_init {\n new apps = directors.round_robin();\n");
        for (int i = 0; i < apps.size(); i++) {
            String port = apps.get(i).substring(apps.get(i).lastIndexOf(':') + 1);
            backends.append("backend app" + i + " { .host = \"127.0.0.1\"; .port = \"" + port + "\"; }\n");
            turns.append(" apps.add_backend(app" + i + ");\n");
        }
        String vcl = Installed.block("vcl")
                .replaceFirst(
                        "backend default .*\n",
                        backends.append(turns).append("}\n").toString())
                .replaceFirst("sub vcl_recv \\{\n", "sub vcl_recv {\n set req.backend_hint = apps.backend();\n");
        int port = Installed.freePort();
        processes.add(Varnish.start(folder, vcl, port));
        return "http://127.0.0.1:" + port;
    }

    private void startFreshet() throws IOException {
        Path folder = FreshetProcess.newFolder();
        Files.writeString(
                folder.resolve("routes/targets/edge.camel.yaml"),
                page.block("edge").replace("http://{{env:VARNISH_HOST}}:6081", edge));
        Map<String, String> environment = new HashMap<>(page.environment("start"));
        environment.put("DATABASE_URL", servers.primary.url(DATABASE));
        environment.put("FRESHET_REPLICAS", replica.url(DATABASE));
        environment.put("VERCEL_DEPLOYMENT_URL", String.join(",", apps));
        environment.put("REVALIDATION_SECRET", Scene.SECRET);
        freshet = FreshetProcess.start(folder, environment);
    }
}
