package dev.freshet.database;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * What this build does to a database, as one digest of sql/migrations and sql/functions, and the digests of its
 * predecessors: the lines of sql/builds.txt. A digest that is not among those belongs to a newer build, which this one
 * must not replace.
 */
final class Build {
    private static final String LINEAGE = "/sql/builds.txt";
    private static final List<String> FOLDERS = List.of("sql/migrations/", "sql/functions/");

    private final String digest;
    private final Set<String> lineage;

    Build() {
        this(digest(files()), lineage());
    }

    Build(String digest, List<String> lineage) {
        this.digest = digest;
        this.lineage = Set.copyOf(lineage);
    }

    String digest() {
        return digest;
    }

    /** Whether this build may replace what is in force. */
    boolean follows(String inForce) {
        return inForce.equals(digest) || lineage.contains(inForce);
    }

    static List<String> lineage() {
        try (InputStream in = Build.class.getResourceAsStream(LINEAGE)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> line.replaceFirst("#.*", "").strip())
                    .filter(line -> !line.isEmpty())
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String digest(SortedMap<String, String> files) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            files.forEach((name, text) -> {
                String line = name + '\0' + text.replace("\r\n", "\n") + '\0';
                sha.update(line.getBytes(StandardCharsets.UTF_8));
            });
            return HexFormat.of().formatHex(sha.digest()).substring(0, 32);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All files of the two folders, wherever the classes are: in a jar, or in target/classes. */
    private static SortedMap<String, String> files() {
        URL lineage = Build.class.getResource(LINEAGE);
        try {
            return lineage.openConnection() instanceof JarURLConnection jar ? inJar(jar) : inFolder(lineage.toURI());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static SortedMap<String, String> inJar(JarURLConnection connection) throws IOException {
        SortedMap<String, String> files = new TreeMap<>();
        connection.setUseCaches(false);
        try (JarFile jar = connection.getJarFile()) {
            for (JarEntry entry : jar.stream()
                    .filter(e -> !e.isDirectory() && isOurs(e.getName()))
                    .toList()) {
                byte[] text = jar.getInputStream(entry).readAllBytes();
                files.put(entry.getName(), new String(text, StandardCharsets.UTF_8));
            }
        }
        return files;
    }

    private static SortedMap<String, String> inFolder(URI lineage) throws IOException {
        Path root = Path.of(lineage).getParent().getParent();
        SortedMap<String, String> files = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(root.resolve("sql"))) {
            for (Path file : walk.filter(Files::isRegularFile).toList()) {
                String name = root.relativize(file).toString().replace('\\', '/');
                if (isOurs(name)) {
                    files.put(name, Files.readString(file));
                }
            }
        }
        return files;
    }

    private static boolean isOurs(String name) {
        return FOLDERS.stream().anyMatch(name::startsWith);
    }
}
