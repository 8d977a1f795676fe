package dev.freshet.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.apache.camel.CamelContext;

/**
 * The folder lib, for jars that operators' routes need besides Freshet's own, such as a broker's component with its
 * dependencies.
 */
public final class Library {
    private static final String NAME = "lib";
    private static final Path FOLDER = Path.of(NAME);

    private Library() {}

    /** Must be called first: threads and contexts that are created later find these jars after Freshet's own. */
    public static void open() {
        Set<Path> jars = jars();
        if (!jars.isEmpty()) {
            URL[] urls = jars.stream().map(Library::url).toArray(URL[]::new);
            URLClassLoader loader = new URLClassLoader(NAME, urls, Library.class.getClassLoader());
            Thread.currentThread().setContextClassLoader(loader);
        }
    }

    /** Threads that Camel did not create may have another class loader. */
    static void lendTo(CamelContext context) {
        ClassLoader loader = Thread.currentThread().getContextClassLoader();
        if (NAME.equals(loader.getName())) {
            context.setApplicationContextClassLoader(loader);
        }
    }

    private static Set<Path> jars() {
        Set<Path> jars = new TreeSet<>();
        if (Files.isDirectory(FOLDER)) {
            try (DirectoryStream<Path> found = Files.newDirectoryStream(FOLDER, "*.jar")) {
                found.forEach(jars::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return jars;
    }

    private static URL url(Path jar) {
        try {
            return jar.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalStateException(e);
        }
    }
}
