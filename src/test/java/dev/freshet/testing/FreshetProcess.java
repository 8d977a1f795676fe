package dev.freshet.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The packaged jar as a process of its own, in a folder of its own, without those variables of this machine's
 * environment that are meant for Freshet.
 */
public final class FreshetProcess implements AutoCloseable {
    private static final Pattern LISTENING = Pattern.compile("Freshet is listening on (http://[^\\s\"]+)");
    private static final Pattern OURS =
            Pattern.compile("(DATABASE_URL|SUPABASE_.*|VERCEL_.*|REVALIDATION_SECRET|NEXT_PUBLIC_.*|"
                    + "CACHE_INVALIDATION_URL|INTERNAL_API_KEY|QUEUE_NAME|WORKER_ID|"
                    + "USE_BG_JOBS_.*|FRESHET_.*|PG[A-Z]+|JAVA_TOOL_OPTIONS|CAMEL_.*)");
    /** A process of a test does not live long. */
    private static final List<String> QUICK_START = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Path folder;
    private final Path log;
    private final Process process;

    private FreshetProcess(Path folder, Path log, Process process) {
        this.folder = folder;
        this.log = log;
        this.process = process;
    }

    /** A new folder with what operators get next to the jar. */
    public static Path newFolder() {
        try {
            Path folder = Files.createTempDirectory("freshet-it-");
            for (String part : List.of("routes", "sql", "application.properties")) {
                copy(Path.of(part), folder.resolve(part));
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A process that is started and listening. */
    public static FreshetProcess start(Map<String, String> environment) {
        return start(newFolder(), environment);
    }

    public static FreshetProcess start(Path folder, Map<String, String> environment) {
        FreshetProcess freshet = launch(folder, environment);
        freshet.awaitListening();
        return freshet;
    }

    /** A process that is only started: for those that are expected to end by themselves. */
    public static FreshetProcess launch(Path folder, Map<String, String> environment, String... arguments) {
        List<String> command = new ArrayList<>(QUICK_START);
        Path archive = archive();
        if (Files.exists(archive)) {
            command.add("-XX:SharedArchiveFile=" + archive);
        }
        command.addAll(List.of("-jar", jar().toString()));
        command.addAll(List.of(arguments));
        return launch(folder, environment, command);
    }

    /** The packaged jar. */
    public static Path jar() {
        return Path.of(System.getProperty("freshet.jar", "target/freshet.jar")).toAbsolutePath();
    }

    /**
     * The classes that a start loads, in the form in which this JVM holds them in memory (docs/operations.md). Whoever
     * comes first makes the archive, which saves a quarter of a start's work.
     */
    private static synchronized Path archive() {
        Path archive = jar().resolveSibling("freshet.jsa");
        try (FileChannel channel = FileChannel.open(
                        jar().resolveSibling("freshet.jsa.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock others = channel.lock()) {
            if (!Files.exists(archive)
                    || Files.getLastModifiedTime(archive).compareTo(Files.getLastModifiedTime(jar())) < 0) {
                Path fresh = archive.resolveSibling("freshet-new.jsa");
                startAndStop("-XX:ArchiveClassesAtExit=" + fresh);
                if (Files.exists(fresh)) { // not every JVM can make one
                    Files.move(fresh, archive, StandardCopyOption.REPLACE_EXISTING);
                }
            }
            return archive;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static void startAndStop(String option) throws Exception {
        List<String> command = new ArrayList<>(QUICK_START);
        command.addAll(List.of(option, "-jar", jar().toString()));
        try (TestDatabase database = TestDatabase.migrated();
                FreshetProcess freshet = launch(newFolder(), Map.of("DATABASE_URL", database.url()), command)) {
            freshet.awaitListening();
        }
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** Starts another main class than the jar's. */
    static FreshetProcess launch(Path folder, Map<String, String> environment, List<String> arguments) {
        try {
            Path log = Files.createTempFile(folder, "run-", ".log");
            ProcessBuilder builder = new ProcessBuilder(java());
            builder.command().addAll(arguments);
            builder.directory(folder.toFile()).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().keySet().removeIf(name -> OURS.matcher(name).matches());
            builder.environment().put("FRESHET_PORT", "0");
            builder.environment().putAll(environment);
            FreshetProcess freshet = new FreshetProcess(folder, log, builder.start());
            Runtime.getRuntime().addShutdownHook(new Thread(freshet.process::destroyForcibly));
            return freshet;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public void awaitListening() {
        waitForLog(LISTENING);
    }

    public String url() {
        Matcher line = LISTENING.matcher(log());
        if (!line.find()) {
            throw new AssertionError("it does not listen:\n" + log());
        }
        return line.group(1);
    }

    public HttpResponse<String> get(String path) {
        try {
            return HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create(url() + path))
                                    .timeout(Duration.ofSeconds(30))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What each of its threads is doing at this moment: for a failure that is hard to explain. */
    public String threads() {
        try {
            Process jstack = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "jstack")
                                    .toString(),
                            Long.toString(process.pid()))
                    .redirectErrorStream(true)
                    .start();
            return new String(jstack.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "no jstack: " + e;
        }
    }

    public Path folder() {
        return folder;
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public void waitForLog(Pattern line) {
        Eventually.is(
                PATIENCE,
                () -> line.matcher(log()).find() || !process.isAlive(),
                () -> line + " in:\n" + log() + threads());
        if (!line.matcher(log()).find()) {
            throw new AssertionError(
                    "Freshet ended with exit code " + process.exitValue() + " before " + line + ":\n" + log());
        }
    }

    /** SIGKILL, which also leaves an embedded PostgreSQL behind. */
    public void kill9() {
        process.destroyForcibly();
        exitCode();
    }

    /** SIGTERM. */
    public int term() {
        process.destroy();
        return exitCode();
    }

    public int exitCode() {
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("still running:\n" + log());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        term();
    }

    private static void copy(Path from, Path to) throws IOException {
        if (!Files.exists(from)) {
            return;
        }
        List<Path> paths = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(from)) {
            walk.forEach(paths::add);
        }
        for (Path path : paths) {
            Files.copy(path, to.resolve(from.relativize(path).toString()));
        }
    }
}
