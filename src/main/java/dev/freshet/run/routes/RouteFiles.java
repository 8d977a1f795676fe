package dev.freshet.run.routes;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What route files hold, by their names. */
public final class RouteFiles {
    private static final Logger LOG = LoggerFactory.getLogger(RouteFiles.class);

    private RouteFiles() {}

    /** @param place a folder, with all that is below it, or one file */
    public static Map<String, String> in(Path place) throws IOException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(place)) {
            walk.filter(path -> path.toString().endsWith(".yaml") && Files.isRegularFile(path))
                    .forEach(files::add);
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
