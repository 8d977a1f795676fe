package dev.freshet.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A real Chromium, driven through its DevTools protocol. Calls apply to one of its windows at a time; what any of them
 * logs and requests is remembered.
 */
public final class Browser implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome");
    private static final Pattern LISTENING = Pattern.compile("DevTools listening on (ws://\\S+)");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, Integer> KEYS = Map.of("Tab", 9, "Enter", 13, "Escape", 27);

    private final Process process;
    private final Path profile;
    private final WebSocket socket;
    private final AtomicInteger number = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final List<JsonNode> events = new CopyOnWriteArrayList<>();
    private String session;

    /** Skips the test with a message if there is no browser. */
    public static Browser open() throws Exception {
        String program = program();
        assumeTrue(
                program != null,
                "NO BROWSER: the tests of the console and of live pages are skipped; install chromium (.ci/run does)");
        return new Browser(program);
    }

    private static String program() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElse(null);
    }

    private Browser(String program) throws Exception {
        profile = Files.createTempDirectory("freshet-browser-");
        process = new ProcessBuilder(
                        program,
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--hide-scrollbars",
                        "--user-data-dir=" + profile,
                        "--remote-debugging-port=0",
                        "about:blank")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(address(), new Ear())
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        newWindow();
    }

    /** Opens another window, to which calls apply from now on. The result is for {@link #in}. */
    public String newWindow() {
        session = null;
        String target = send("Target.createTarget", Map.of("url", "about:blank", "newWindow", true))
                .get("targetId")
                .asText();
        session = send("Target.attachToTarget", Map.of("targetId", target, "flatten", true))
                .get("sessionId")
                .asText();
        for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
            send(domain + ".enable", Map.of());
        }
        return session;
    }

    public void in(String window) {
        session = window;
    }

    public String window() {
        return session;
    }

    /** For connections that are opened from now on; open ones stay open. */
    public void offline(boolean offline) {
        send(
                "Network.emulateNetworkConditions",
                Map.of("offline", offline, "latency", 0, "downloadThroughput", -1, "uploadThroughput", -1));
    }

    /** Like a proxy that lets no request to these URLs through. */
    public void block(List<String> urls) {
        send("Network.setBlockedURLs", Map.of("urls", urls));
    }

    private URI address() throws IOException {
        BufferedReader errors =
                new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
        for (String line = errors.readLine(); line != null; line = errors.readLine()) {
            Matcher listening = LISTENING.matcher(line);
            if (listening.find()) {
                Thread rest = new Thread(() -> errors.lines().forEach(ignored -> {}));
                rest.setDaemon(true);
                rest.start();
                return URI.create(listening.group(1));
            }
        }
        throw new AssertionError("the browser did not start");
    }

    public void size(int width, int height, boolean dark) {
        send(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
        send(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    }

    public void go(String url) {
        send("Page.navigate", Map.of("url", url));
        until("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /** The value of an expression; for a promise, the value that it resolves to. */
    public JsonNode js(String expression) {
        JsonNode answer =
                send("Runtime.evaluate", Map.of("expression", expression, "awaitPromise", true, "returnByValue", true));
        if (answer.has("exceptionDetails")) {
            throw new AssertionError(expression + ": " + answer.get("exceptionDetails"));
        }
        return answer.get("result").path("value");
    }

    public boolean is(String condition) {
        return js("Boolean(" + condition + ")").asBoolean();
    }

    public void until(String condition) {
        Eventually.is(PATIENCE, () -> is(condition), () -> condition + " on this page:\n" + text());
    }

    public void untilShown(String text) {
        Eventually.is(PATIENCE, () -> text().contains(text), () -> text + " on this page:\n" + text());
    }

    String text() {
        return js("document.body.innerText").asText();
    }

    public void press(String key) {
        Map<String, Object> what = KEYS.containsKey(key)
                ? Map.of(
                        "type",
                        "keyDown",
                        "key",
                        key,
                        "code",
                        key,
                        "windowsVirtualKeyCode",
                        KEYS.get(key),
                        "text",
                        key.equals("Enter") ? "\r" : "")
                : Map.of("type", "keyDown", "key", key, "text", key);
        send("Input.dispatchKeyEvent", what);
        send("Input.dispatchKeyEvent", Map.of("type", "keyUp", "key", key));
    }

    public void type(String text) {
        send("Input.insertText", Map.of("text", text));
    }

    /** With Tab alone, as somebody without a mouse gets there. */
    public void tabTo(String condition) {
        for (int i = 0; i < 200; i++) {
            if (is("(element => " + condition + ")(document.activeElement)")) {
                return;
            }
            press("Tab");
        }
        throw new AssertionError("Tab never came to " + condition + ":\n" + text());
    }

    public void click(String selector) {
        until("document.querySelector(" + quoted(selector) + ")");
        js("document.querySelector(" + quoted(selector) + ").click()");
    }

    /** What went wrong on pages since the last {@link #forget}: exceptions, and errors in the console. */
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        for (JsonNode event : events) {
            JsonNode params = event.get("params");
            switch (event.get("method").asText()) {
                case "Runtime.exceptionThrown" ->
                    problems.add(
                            params.at("/exceptionDetails/exception/description").asText());
                case "Log.entryAdded" ->
                    problems.add(
                            params.at("/entry/level").asText().equals("error")
                                    ? params.at("/entry/text").asText() + " "
                                            + params.at("/entry/url").asText()
                                    : null);
                case "Runtime.consoleAPICalled" ->
                    problems.add(
                            params.get("type").asText().equals("error")
                                    ? params.get("args").toString()
                                    : null);
                default -> {}
            }
        }
        problems.removeIf(problem -> problem == null);
        return problems;
    }

    public List<String> requests() {
        return events.stream()
                .filter(event -> event.get("method").asText().equals("Network.requestWillBeSent"))
                .map(event -> event.at("/params/request/url").asText())
                .toList();
    }

    public void forget() {
        events.clear();
    }

    /** Serious and critical findings of axe-core. */
    public List<String> findings() throws IOException {
        if (!is("window.axe")) {
            try (InputStream axe =
                    Browser.class.getResourceAsStream("/META-INF/resources/webjars/axe-core/4.6.3/axe.min.js")) {
                js(new String(axe.readAllBytes(), StandardCharsets.UTF_8) + "; true");
            }
        }
        List<String> findings = new ArrayList<>();
        js("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(v => ['serious',"
                        + " 'critical'].includes(v.impact)).map(v => v.id"
                        + " + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0,"
                        + " 160) + ' ' + (n.any[0] || n.all[0] || n.none[0] || {}).message).join(' | ')))")
                .forEach(finding -> findings.add(finding.asText()));
        return findings;
    }

    public void shot(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(
                file,
                Base64.getDecoder()
                        .decode(send("Page.captureScreenshot", Map.of("captureBeyondViewport", true))
                                .get("data")
                                .asText()));
    }

    public static String quoted(String text) {
        try {
            return JSON.writeValueAsString(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    private JsonNode send(String method, Map<String, Object> params) {
        int id = number.incrementAndGet();
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        waiting.put(id, answer);
        var message =
                JSON.createObjectNode().put("id", id).put("method", method).set("params", JSON.valueToTree(params));
        if (session != null) {
            ((com.fasterxml.jackson.databind.node.ObjectNode) message).put("sessionId", session);
        }
        try {
            synchronized (socket) {
                socket.sendText(message.toString(), true).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            }
            JsonNode told = answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            if (told.has("error")) {
                throw new AssertionError(method + ": " + told.get("error"));
            }
            return told.get("result");
        } catch (InterruptedException
                | java.util.concurrent.ExecutionException
                | java.util.concurrent.TimeoutException e) {
            throw new AssertionError(method, e);
        }
    }

    private final class Ear implements WebSocket.Listener {
        private final StringBuilder heard = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            heard.append(part);
            if (last) {
                try {
                    JsonNode message = JSON.readTree(heard.toString());
                    if (message.has("id")) {
                        waiting.remove(message.get("id").asInt()).complete(message);
                    } else {
                        events.add(message);
                    }
                } catch (JsonProcessingException e) {
                    throw new UncheckedIOException(e);
                }
                heard.setLength(0);
            }
            from.request(1);
            return null;
        }
    }

    @Override
    public void close() throws Exception {
        socket.abort();
        // its helper processes outlive it for a moment, and write into the folder
        List<ProcessHandle> helpers = process.descendants().toList();
        process.destroy();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        for (ProcessHandle helper : helpers) {
            helper.destroyForcibly();
            helper.onExit().get(10, TimeUnit.SECONDS);
        }
        try (Stream<Path> files = Files.walk(profile)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        }
    }
}
