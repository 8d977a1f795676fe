package dev.freshet.run;

import dev.freshet.database.DatabaseUrl;
import dev.freshet.database.EmbeddedServer;
import dev.freshet.settings.CannotStart;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/** The address of the database: the configured one, or that of Freshet's own PostgreSQL, which this class starts. */
final class DatabaseAddress implements AutoCloseable {
    private final Settings settings;
    private final DatabaseUrl address;
    private EmbeddedServer ownServer;

    DatabaseAddress(Settings settings) {
        this.settings = settings;
        this.address = address();
    }

    DatabaseUrl url() {
        return address;
    }

    Optional<EmbeddedServer> ownServer() {
        return Optional.ofNullable(ownServer);
    }

    /** Null if only a transaction pooler is known, because LISTEN receives nothing through one. */
    DatabaseUrl direct() {
        if (settings.has(Setting.LISTEN_URL)) {
            return parsed(Setting.LISTEN_URL, () -> DatabaseUrl.parse(text(Setting.LISTEN_URL)));
        }
        return address.pooled() ? null : address;
    }

    private DatabaseUrl address() {
        if (settings.has(Setting.DATABASE_URL)) {
            return parsed(Setting.DATABASE_URL, () -> DatabaseUrl.parse(text(Setting.DATABASE_URL)));
        }
        if (settings.has(Setting.SUPABASE_URL)) {
            return parsed(
                    Setting.SUPABASE_URL,
                    () -> DatabaseUrl.ofSupabase(text(Setting.SUPABASE_URL), text(Setting.SUPABASE_DB_PASSWORD)));
        }
        ownServer = EmbeddedServer.start(Path.of(text(Setting.DATA_DIR)), settings.number(Setting.DB_PORT));
        return ownServer.address();
    }

    private String text(Setting setting) {
        return settings.text(setting).orElseThrow();
    }

    private static DatabaseUrl parsed(Setting setting, Supplier<DatabaseUrl> parser) {
        try {
            return parser.get();
        } catch (IllegalArgumentException e) {
            throw new CannotStart(setting.environment + " is " + e.getMessage());
        }
    }

    @Override
    public void close() {
        if (ownServer != null) {
            ownServer.close();
        }
    }
}
