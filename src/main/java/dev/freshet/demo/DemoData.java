package dev.freshet.demo;

import dev.freshet.database.Transactions;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.List;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Small real tables to try Freshet with: sql/demo, one file per section. Loading them again does nothing. */
public final class DemoData {
    private static final Logger LOG = LoggerFactory.getLogger(DemoData.class);
    private static final List<String> FILES = List.of("courses", "players", "academy", "auction");

    private final Transactions transactions;

    public DemoData(DataSource dataSource) {
        this.transactions = new Transactions(dataSource);
    }

    /** A demo that cannot be loaded is no reason not to start. */
    public void load() {
        for (String file : FILES) {
            try {
                transactions.in(connection -> {
                    try (Statement statement = connection.createStatement()) {
                        statement.execute(text(file));
                        for (SQLWarning warning = statement.getWarnings();
                                warning != null;
                                warning = warning.getNextWarning()) {
                            LOG.info("{}", warning.getMessage());
                        }
                        return null;
                    }
                });
            } catch (SQLException e) {
                LOG.warn(
                        "The demo data of sql/demo/{}.sql are not there: {}",
                        file,
                        String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
            }
        }
    }

    private static String text(String file) {
        try (InputStream in = DemoData.class.getResourceAsStream("/sql/demo/" + file + ".sql")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
