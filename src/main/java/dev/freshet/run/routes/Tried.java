package dev.freshet.run.routes;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.camel.support.ResourceSupport;

/** A route file with the text that was tried, whatever the file contains by now. It exists as long as the file does. */
final class Tried extends ResourceSupport {
    private final Path file;
    private final String text;

    Tried(String file, String text) {
        super("file", "file:" + file);
        this.file = Path.of(file);
        this.text = text;
    }

    @Override
    public boolean exists() {
        return Files.exists(file);
    }

    @Override
    public InputStream getInputStream() {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }
}
