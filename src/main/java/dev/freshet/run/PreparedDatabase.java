package dev.freshet.run;

import dev.freshet.database.Adoption;
import dev.freshet.database.Database;
import dev.freshet.database.Schema;
import dev.freshet.database.Sequences;
import dev.freshet.demo.DemoData;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import java.time.Duration;

/**
 * The database, ready for everything that follows: open, with this version's schema, and with the demo's tables if the
 * demo is wanted.
 */
final class PreparedDatabase implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Settings settings;
    private final DatabaseAddress address;
    private Database database;
    private boolean demo;

    /** Only determines the address; {@link #open} connects. */
    PreparedDatabase(Settings settings) {
        this.settings = settings;
        this.address = new DatabaseAddress(settings);
    }

    Database open() {
        database = Database.open(
                address.url(),
                settings.number(Setting.POOL_SIZE),
                settings.duration(Setting.DATABASE_TIMEOUT),
                PATIENCE);
        new Adoption().check(database.single());
        new Schema(database.single()).migrate();
        new Sequences(database.single()).raise();
        new Adoption().tryOut(database.single());
        demo = settings.has(Setting.DEMO)
                ? settings.flag(Setting.DEMO)
                : address.ownServer().isPresent();
        if (demo) {
            new DemoData(database.single()).load();
        }
        return database;
    }

    DatabaseAddress address() {
        return address;
    }

    /** Without any configuration, Freshet starts a database of its own and loads the demo. */
    boolean hasDemo() {
        return demo;
    }

    /** Also works if the database could not be opened. */
    @Override
    public void close() {
        if (database != null) {
            database.close();
        }
        address.close();
    }
}
