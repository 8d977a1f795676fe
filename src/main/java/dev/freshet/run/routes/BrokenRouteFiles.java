package dev.freshet.run.routes;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The files whose text is not what is running, with the reason and the text that was tried. Each is reported once. */
final class BrokenRouteFiles {
    /** The logger's name is the one that operators know for this part of Freshet. */
    private static final Logger LOG = LoggerFactory.getLogger(LiveRoutes.class);

    private final Map<String, String> tried = new TreeMap<>();
    private final Map<String, BrokenRouteFile> broken = new ConcurrentSkipListMap<>();

    /** May be called by any thread; all other methods only by the one that looks at the files. */
    List<BrokenRouteFile> list() {
        return List.copyOf(broken.values());
    }

    Set<String> names() {
        return broken.keySet();
    }

    void tries(String file, String text) {
        tried.put(file, text);
    }

    /** Whether exactly this text was refused, and nothing has changed since that could make it valid. */
    boolean wasRefused(String file, String text) {
        return broken.containsKey(file) && tried.containsKey(file) && Objects.equals(text, tried.get(file));
    }

    void refused(BrokenRouteFile what) {
        String file = what.file();
        BrokenRouteFile before = broken.put(file, what);
        if (before == null || !before.toString().equals(what.toString())) {
            LOG.error("{} is not taken over, the last good version goes on. {}", file, what);
        }
    }

    void unseen(String file) {
        tried.remove(file);
        refused(BrokenRouteFile.unseen(file));
    }

    /** The file was edited back to what is running. */
    void mended(String file) {
        if (broken.remove(file) != null) {
            LOG.info("{} is again as it runs", file);
        }
    }

    void takenOver(String file) {
        broken.remove(file);
        tried.clear(); // other files may have been refused because they lacked what this one contains
    }
}
