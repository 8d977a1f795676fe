package dev.freshet.run.routes;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Distinguishes a file that was deleted from one that cannot be seen: a volume that is not mounted leaves an empty
 * folder.
 */
final class RouteFolders {
    private final Map<Path, Object> keys = new HashMap<>();

    /** Must be called while these files exist. */
    void found(Set<String> files) throws IOException {
        for (String file : files) {
            Path folder = of(file);
            keys.put(folder, key(folder));
        }
    }

    /**
     * For a file that is missing: whether its folder is readable, and contains other files or is still the same folder.
     */
    boolean wasDeleted(String file) {
        Path folder = of(file);
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            return entries.iterator().hasNext() || Objects.equals(keys.get(folder), key(folder));
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    private static Path of(String file) {
        return Path.of(file).toAbsolutePath().normalize().getParent();
    }

    /** Device and inode; null if the system has no such thing. */
    private static Object key(Path folder) throws IOException {
        return Files.readAttributes(folder, BasicFileAttributes.class).fileKey();
    }
}
