package dev.freshet.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Programs that this machine may have installed, and how docs/targets.md configures them. */
public final class Installed {
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private Installed() {}

    public static void needs(String file, String debian) {
        boolean isThere = Files.exists(Path.of(file));
        if (!isThere) {
            System.err.println("SKIPPED: " + debian + " is not installed (apt-get install " + debian + ")");
        }
        assumeTrue(isThere, debian + " is not installed");
    }

    public static String block(String name) throws IOException {
        Matcher block = Pattern.compile("<!-- " + name + " -->\\n```\\w+\\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("docs/targets.md")));
        assertTrue(block.find(), name);
        return block.group(1);
    }

    public static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    public static String redis(int port, String... command) throws Exception {
        List<String> all = new ArrayList<>(
                List.of("/usr/bin/redis-cli", "-p", String.valueOf(port), "-a", "pass word", "--no-auth-warning"));
        all.addAll(Arrays.asList(command));
        Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        process.waitFor();
        return answer;
    }

    public static String get(String page) throws InterruptedException {
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create(page)).build();
            return HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException notYet) {
            return "nobody there " + System.nanoTime();
        }
    }
}
