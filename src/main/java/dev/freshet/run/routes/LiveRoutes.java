package dev.freshet.run.routes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies edits of route files while Freshet runs. A file that is new or has changed is tried first, and only one that
 * passes replaces what is running. One that fails is reported, and the last good version keeps running. Camel itself
 * would have stopped that version first.
 */
public final class LiveRoutes implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LiveRoutes.class);
    private static final long GLANCE_MILLIS = 250;
    private static final long LONGEST_CLOSE_MILLIS = 5_000;

    private final CamelContext context;
    private final RouteSwap swap;
    private final Path folder;
    private final RouteFolders folders = new RouteFolders();
    private final Map<String, String> running = new TreeMap<>();
    private final Map<String, String> lastSeen = new TreeMap<>();
    private final BrokenRouteFiles broken = new BrokenRouteFiles();
    private ScheduledExecutorService watch;
    private String trouble = "";
    private final Glances glances = new Glances();
    private volatile boolean closed;

    public LiveRoutes(CamelContext context, Path folder) {
        this.context = context;
        this.swap = new RouteSwap(context);
        this.folder = folder;
    }

    /** Must be called before the routes are loaded, so that edits during the start are noticed. */
    public void readFirst() throws IOException {
        if (Files.isDirectory(folder)) {
            running.putAll(RouteFiles.in(folder));
            lastSeen.putAll(running);
            folders.found(running.keySet());
        }
    }

    /** The contents of the files as they were first read. */
    public Map<String, String> files() {
        return Map.copyOf(running);
    }

    /** Must be called when the routes have started. */
    public void start() {
        if (!Files.isDirectory(folder)) {
            return;
        }
        watch = context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, "routes");
        watch.scheduleWithFixedDelay(this::glance, GLANCE_MILLIS, GLANCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Files whose contents are not what is running, and why. */
    public List<BrokenRouteFile> broken() {
        return broken.list(); // not synchronized: an edit may wait for minutes, and health is queried in the meantime
    }

    private synchronized void glance() {
        try {
            if (glances.seesSomething(folder)) {
                look();
            }
        } catch (IOException e) {
            look();
        }
    }

    private void look() {
        try {
            Map<String, String> now = RouteFiles.in(folder);
            for (String file : changed(now)) {
                if (now.containsKey(file) || folders.wasDeleted(file)) {
                    take(file, now.get(file));
                } else {
                    broken.unseen(file);
                }
            }
            lastSeen.clear();
            lastSeen.putAll(now);
            folders.found(now.keySet());
            trouble = "";
        } catch (IOException | RuntimeException | Error e) { // catch everything, or the watch would end unnoticed
            if (!trouble.equals(e.toString())) {
                LOG.warn("The route files cannot be looked at, and what runs goes on: {}", e.toString());
            }
            trouble = e.toString();
        }
    }

    /** Files that differ from what is running, and did not change between the last two looks. */
    private Set<String> changed(Map<String, String> now) {
        Set<String> files = new TreeSet<>(now.keySet());
        files.addAll(running.keySet());
        files.addAll(broken.names());
        List<String> asTheyRun = files.stream()
                .filter(file -> Objects.equals(now.get(file), running.get(file)))
                .toList();
        asTheyRun.forEach(file -> {
            broken.mended(file);
            files.remove(file);
        });
        files.removeIf(
                file -> !Objects.equals(now.get(file), lastSeen.get(file)) || broken.wasRefused(file, now.get(file)));
        return files;
    }

    private void take(String file, String text) {
        broken.tries(file, text);
        boolean isNew = !running.containsKey(file);
        try {
            Map<String, String> all = new TreeMap<>(running);
            if (text == null) {
                all.remove(file);
            } else {
                all.put(file, text);
            }
            refuseMissingVariables(text);
            new Trial(context)
                    .of(
                            all,
                            reachesOthers(text)
                                            || reachesOthers(running.get(file))
                                            || !Beans.sections(text).equals(Beans.sections(running.get(file)))
                                    ? all.keySet()
                                    : Set.of(file));
            swap.swap(running, file, text);
        } catch (Exception e) {
            if (!closed) {
                broken.refused(BrokenRouteFile.of(file, text, running.get(file), e));
            }
            return;
        }
        broken.takenOver(file);
        glances.again();
        LOG.info(
                "{} {}",
                file,
                text == null
                        ? "is gone, and its routes with it"
                        : isNew ? "is new: its routes have started" : "has changed: its routes are the new ones");
    }

    /** Routes of other files may depend on route configurations and templates. */
    private static boolean reachesOthers(String text) {
        return text != null && (text.contains("routeConfiguration:") || text.contains("routeTemplate:"));
    }

    private static void refuseMissingVariables(String text) {
        Set<String> missing = text == null ? Set.of() : Variables.missing(text);
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException(Variables.told(missing));
        }
    }

    @Override
    public void close() {
        if (watch != null) {
            closed = true;
            context.getExecutorServiceManager().shutdownNow(watch);
            try {
                context.getExecutorServiceManager().awaitTermination(watch, LONGEST_CLOSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
