package dev.freshet.routes;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What route files hold, by their names. */
public final class RouteFiles {
    private static final Logger LOG = LoggerFactory.getLogger(RouteFiles.class);

    private RouteFiles() {
    }

    /** What is another one when a file is: its time, its size and its number. */
    static Map<String, Object> stamps(Path folder) throws IOException {
        Map<String, Object> stamps = new HashMap<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes own) throws IOException {
                if (file.toString().endsWith(".yaml")) {
                    BasicFileAttributes its = own.isSymbolicLink() ? Files.readAttributes(file, BasicFileAttributes.class) : own;
                    stamps.put(file.toString(), Arrays.asList(its.lastModifiedTime(), its.size(), its.fileKey()));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return stamps;
    }

    /** @param place a folder, with all that is below it, or one file */
    public static Map<String, String> in(Path place) throws IOException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(place)) {
            walk.filter(path -> path.toString().endsWith(".yaml") && Files.isRegularFile(path)).forEach(files::add);
        }
        Map<String, String> texts = new TreeMap<>();
        for (Path file : files) {
            try {
                texts.put(file.toString(), Files.readString(file, StandardCharsets.UTF_8));
            } catch (MalformedInputException e) {
                texts.put(file.toString(), "this file is not UTF-8");
            } catch (NoSuchFileException e) {
                LOG.debug("{} went away while it was read", file);
            }
        }
        return texts;
    }
}
