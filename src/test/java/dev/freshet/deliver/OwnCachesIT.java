package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import dev.freshet.deliver.provider.ProvidersIT;
import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Installed;
import dev.freshet.testing.Scene;
import dev.freshet.testing.Varnish;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Varnish, nginx and Redis as Debian packages them (redis-server, varnish, varnish-modules, gcc, nginx,
 * libnginx-mod-http-cache-purge), with the configuration that docs/targets.md shows. If one is not installed, its test
 * is skipped.
 */
class OwnCachesIT {
    private final AtomicInteger rendered = new AtomicInteger();
    private final List<Process> processes = new ArrayList<>();
    private HttpServer app;
    private Path folder;

    @BeforeEach
    void open() throws IOException {
        folder = Files.createTempDirectory("own-caches-");
        app = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        app.createContext("/", exchange -> {
            String page = exchange.getRequestURI() + " " + rendered.incrementAndGet();
            byte[] body = page.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Cache-Control", "max-age=3600");
            exchange.getResponseHeaders().add("xkey", "all course:7 a~20b");
            exchange.getResponseHeaders().add("cache-tags", "all,menu:1.5,a~20b");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        app.start();
    }

    @AfterEach
    void close() throws InterruptedException {
        app.stop(0);
        for (Process process : processes) {
            process.destroy();
            process.waitFor();
        }
    }

    @Test
    void varnish_drops_pages_by_xkey_by_ban_and_by_path() throws Exception {
        Varnish.needed();
        int port = Installed.freePort();
        String address = "http://127.0.0.1:" + port;
        processes.add(Varnish.start(folder, Installed.block("vcl").replace("8080", appPort()), port));
        awaitCached(address + "/courses/7");
        Path routes = FreshetProcess.newFolder();
        ProvidersIT.drop(routes, "varnish", address);
        String xkey = Files.readString(routes.resolve("routes/targets/varnish.camel.yaml"));
        Files.writeString(routes.resolve("routes/targets/bans.camel.yaml"), xkey.replace("xkey }", "ban }"));
        Files.writeString(
                routes.resolve("routes/targets/pages.camel.yaml"),
                xkey.replace("xkey }", "purge }") + "      - { name: batch, value: \"1\" }\n");
        try (Scene scene = new Scene("VERCEL_DEPLOYMENT_URL=", "REVALIDATION_SECRET=", "VARNISH_HOST=127.0.0.1")) {
            scene.start(routes);
            assertForgets(scene, "course:7", address + "/by-xkey");
            assertForgets(scene, "menu:1.5", address + "/by-ban");
            assertForgets(scene, "a b", address + "/by-both");
            assertForgets(scene, "/courses/8", address + "/courses/8");
            assertForgets(scene, "menu:2", address + "/~~menu:2"); // how tagFor('nginx', …) spells what is not a path
            assertForgets(scene, "/café", address + "/caf~c3~a9");
            assertKeeps(scene, "menu:1x5", address + "/kept");
            assertKeeps(scene, "menu:1", address + "/kept-too");
            assertEquals("0", scene.one("SELECT count(*) FROM freshet.dead_letter"));
        }
    }

    @Test
    void nginx_drops_the_page_whose_path_is_the_tag() throws Exception {
        Installed.needs("/usr/sbin/nginx", "nginx");
        Installed.needs("/usr/lib/nginx/modules/ngx_http_cache_purge_module.so", "libnginx-mod-http-cache-purge");
        int port = Installed.freePort();
        Path config = Files.writeString(folder.resolve("nginx.conf"), """
            load_module /usr/lib/nginx/modules/ngx_http_cache_purge_module.so;
            user root;
            pid PLACE/nginx.pid;
            error_log stderr;
            events { }
            http {
                access_log off;
                proxy_cache_path PLACE/cache keys_zone=pages:1m;
                server {
                    listen 127.0.0.1:PORT;
                    LOCATIONS
                }
            }
            """.replace("PLACE", folder.toString())
                .replace("PORT", String.valueOf(port))
                .replace("LOCATIONS", Installed.block("nginx").replace("8080", appPort())));
        run("/usr/sbin/nginx", "-p", folder.toString(), "-c", config.toString(), "-g", "daemon off;");
        String address = "http://127.0.0.1:" + port;
        awaitCached(address + "/courses/7");
        Path routes = FreshetProcess.newFolder();
        ProvidersIT.drop(routes, "nginx", address);
        try (Scene scene = new Scene("VERCEL_DEPLOYMENT_URL=", "REVALIDATION_SECRET=", "NGINX_HOST=127.0.0.1")) {
            scene.start(routes);
            assertForgets(scene, "/courses/7", address + "/courses/7");
            assertForgets(scene, "/list?page=2", address + "/list?page=2");
            assertForgets(scene, "/img/a.png", address + "/img/a.png");
            assertForgets(scene, "menu:2", address + "/~~menu:2");
            assertKeeps(scene, "/never/../courses/7", address + "/courses/7");
            assertKeeps(scene, "not a path, and in no cache", address + "/courses/7");
            assertEquals("0", scene.one("SELECT count(*) FROM freshet.dead_letter"));
        }
    }

    @Test
    void redis_unlinks_the_key_and_notifies_subscribers() throws Exception {
        int port = startRedis();
        Installed.redis(port, "MSET", "cache:course:7", "old", "cache:a b", "old", "cache:other", "old");
        StringBuffer heard = subscribed(port, "freshet");
        Path routes = FreshetProcess.newFolder();
        ProvidersIT.drop(routes, "redis", "redis://127.0.0.1:" + port);
        Path file = routes.resolve("routes/targets/redis.camel.yaml");
        String wrong = Files.readString(file) + "      - { name: password, value: wrong }\n";
        Files.writeString(file, Files.readString(file) + "      - { name: password, value: pass word }\n");
        Files.writeString(routes.resolve("routes/targets/locked-out.camel.yaml"), wrong);
        try (Scene scene = new Scene("VERCEL_DEPLOYMENT_URL=", "REVALIDATION_SECRET=", "REDIS_HOST=127.0.0.1")) {
            scene.start(routes);
            scene.change("course:7", "a b", "é");
            scene.awaitProcessed("course:7", "a b", "é");
            assertEquals("0", Installed.redis(port, "EXISTS", "cache:course:7", "cache:a b"));
            assertEquals("1", Installed.redis(port, "EXISTS", "cache:other"));
            Scene.until(
                    "told of each: " + heard,
                    () -> heard.toString().contains("\ncourse:7\n")
                            && heard.toString().contains("\na b\n")
                            && heard.toString().contains("\né\n"));
            assertEquals(
                    "locked-out 3 HTTP 400: AUTH: WRONGPASS invalid username-password pair or user is disabled.",
                    scene.one("SELECT target || ' ' || count(*) || ' ' || min(last_error) FROM freshet.dead_letter"
                            + " GROUP BY target"));
        }
    }

    @Test
    void redis_is_sent_the_events_of_cache_processes_too() throws Exception {
        int port = startRedis();
        Matcher file = Pattern.compile("<!-- also: redis -->\\n```yaml\\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("docs/migrate-from-invalidation-service.md")));
        assertTrue(file.find());
        Path folder = FreshetProcess.newFolder();
        Files.writeString(folder.resolve("routes/publish-redis.yaml"), file.group(1));
        try (Scene scene = new Scene("REDIS_URL=redis://:pass%20word@127.0.0.1:" + port)) {
            StringBuffer heard = subscribed(port, "cache-invalidate");
            scene.start(folder);
            scene.database.run("SELECT cache_invalidate_keys(ARRAY['course:7', 'it''s \"é\"'])");
            Scene.until(
                    "told: " + heard,
                    () -> heard.toString().contains("\"matched_keys\":[\"course:7\",\"it's \\\"é\\\"\"]"));
        }
    }

    /** @return its port; the password is "pass word" */
    private int startRedis() throws Exception {
        Installed.needs("/usr/bin/redis-server", "redis-server");
        int port = Installed.freePort();
        run("/usr/bin/redis-server", "--port", String.valueOf(port), "--requirepass", "pass word", "--save", "");
        Scene.until("Redis answers", () -> Installed.redis(port, "PING").equals("PONG"));
        return port;
    }

    /** What a subscriber of the channel has printed. */
    private StringBuffer subscribed(int port, String channel) throws Exception {
        Process listener =
                run("/usr/bin/redis-cli", "-p", String.valueOf(port), "-a", "pass word", "SUBSCRIBE", channel);
        StringBuffer heard = new StringBuffer();
        Thread reader = new Thread(() -> listener.inputReader()
                .lines()
                .forEach(line -> heard.append(line).append('\n')));
        reader.setDaemon(true);
        reader.start();
        Scene.until("it listens", () -> heard.toString().contains("subscribe"));
        return heard;
    }

    private static void assertForgets(Scene scene, String tag, String page) throws Exception {
        assertTrue(isRenderedAnew(scene, tag, page), page + " is stale by " + tag);
    }

    private static void assertKeeps(Scene scene, String tag, String page) throws Exception {
        assertFalse(isRenderedAnew(scene, tag, page), page + " has nothing to do with " + tag);
    }

    private static boolean isRenderedAnew(Scene scene, String tag, String page) throws Exception {
        awaitCached(page);
        String before = Installed.get(page);
        scene.change(tag);
        scene.awaitProcessed(tag);
        return !before.equals(Installed.get(page));
    }

    private static void awaitCached(String page) {
        Scene.until("cached: " + page, () -> Installed.get(page).equals(Installed.get(page)));
    }

    private Process run(String... command) throws IOException {
        boolean isHeard = command[0].endsWith("redis-cli");
        Process process = new ProcessBuilder(command)
                .redirectError(folder.resolve("errors").toFile())
                .redirectOutput(isHeard ? ProcessBuilder.Redirect.PIPE : ProcessBuilder.Redirect.DISCARD)
                .start();
        processes.add(process);
        return process;
    }

    private String appPort() {
        return String.valueOf(app.getAddress().getPort());
    }
}
