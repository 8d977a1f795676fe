package dev.freshet.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.apache.camel.Endpoint;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.ProcessorEndpoint;

/** A component that Freshet's jar lacks: {@code journal:FILE} appends each message to a file as a line. */
public class JournalComponent extends DefaultComponent {
    @Override
    protected Endpoint createEndpoint(String uri, String file, Map<String, Object> parameters) {
        return new ProcessorEndpoint(
                uri,
                this,
                exchange -> Files.writeString(
                        Path.of(file),
                        exchange.getMessage().getBody(String.class) + "\n",
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND));
    }
}
