package dev.freshet.run.routes;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;

/**
 * Decides from times and sizes alone whether the route files are worth reading. This runs four times a second, all
 * year.
 */
final class Glances {
    /** One in this many glances reads the files anyway, because a file may change and keep its time. */
    private static final int LOOK_EACH = 20;
    /** A change is read twice, because the file may still be being written. */
    private static final int LOOKS = 2;

    /** Differs if the file differs. */
    private record Stamp(FileTime changed, long size, Object number) {}

    private Map<String, Stamp> stamps = Map.of();
    private int looks;
    private int glances;

    boolean seesSomething(Path folder) throws IOException {
        Map<String, Stamp> now = stamps(folder);
        looks = now.equals(stamps) ? Math.max(0, looks - 1) : LOOKS;
        stamps = now;
        return looks > 0 || ++glances % LOOK_EACH == 0;
    }

    /** Reads again, because what was found may have consequences. */
    void again() {
        looks = LOOKS;
    }

    private static Map<String, Stamp> stamps(Path folder) throws IOException {
        Map<String, Stamp> stamps = new HashMap<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes own) throws IOException {
                if (file.toString().endsWith(".yaml")) {
                    BasicFileAttributes its =
                            own.isSymbolicLink() ? Files.readAttributes(file, BasicFileAttributes.class) : own;
                    stamps.put(file.toString(), new Stamp(its.lastModifiedTime(), its.size(), its.fileKey()));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return stamps;
    }
}
