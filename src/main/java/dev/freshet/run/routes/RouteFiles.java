package dev.freshet.run.routes;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads route files, by their names. */
public final class RouteFiles {
    private static final String FOLDER = "routes";
    private static final Logger LOG = LoggerFactory.getLogger(RouteFiles.class);

    private RouteFiles() {}

    /**
     * The files in the jar, or in target/classes, named routes/NAME. They are used if there is no folder next to it.
     */
    public static Map<String, String> packed() throws IOException {
        Path place = placeOfClasses();
        if (!Files.isDirectory(place)) {
            try (FileSystem jar = FileSystems.newFileSystem(place)) {
                return in(jar.getPath(FOLDER));
            }
        }
        Map<String, String> named = new TreeMap<>();
        in(place.resolve(FOLDER))
                .forEach((file, text) ->
                        named.put(place.relativize(Path.of(file)).toString().replace('\\', '/'), text));
        return named;
    }

    /**
     * The same files in the form in which Camel is to load them. They are listed one by one, because Camel resolves a
     * pattern by unpacking the whole jar, twice for each file (docs/decisions.md, 147).
     */
    public static String packedForCamel() throws IOException {
        return packed().keySet().stream().map(file -> "classpath:" + file).collect(Collectors.joining(","));
    }

    private static Path placeOfClasses() {
        try {
            return Path.of(RouteFiles.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @param place a folder with everything below it, or one file */
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
