package dev.freshet.run;

import dev.freshet.database.Transactions;
import dev.freshet.run.beans.Parts;
import dev.freshet.run.beans.RouteProperties;
import dev.freshet.run.beans.Wiring;
import dev.freshet.run.routes.BrokenRouteFile;
import dev.freshet.run.routes.LiveRoutes;
import dev.freshet.run.routes.RouteCheck;
import dev.freshet.run.routes.RouteFiles;
import dev.freshet.run.routes.Variables;
import dev.freshet.settings.CannotStart;
import dev.freshet.settings.Setting;
import dev.freshet.settings.Settings;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.apache.camel.component.properties.PropertiesComponent;
import org.apache.camel.impl.DefaultCamelContext;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * {@code java -jar freshet.jar check [FILE|FOLDER]...}: checks whether a running Freshet would accept these route
 * files. Uses no database and starts nothing that consumes.
 */
public final class CheckRoutes {
    private static final int GOOD = 0;
    private static final int BROKEN = 2;
    private static final Path ROUTES = Path.of("routes");

    private static final Path TEMPLATES = Path.of("routes/templates");

    private final PrintStream out;

    public CheckRoutes(PrintStream out) {
        this.out = out;
    }

    /** @return the exit code */
    public int run(List<String> places) throws Exception {
        try {
            boolean packed = places.isEmpty() && !Files.isDirectory(ROUTES);
            Map<String, String> files =
                    packed ? RouteFiles.packed() : read(places.isEmpty() ? List.of(ROUTES.toString()) : places);
            List<BrokenRouteFile> broken = check(withTemplates(files));
            broken.forEach(out::println);
            Variables.missing(files)
                    .forEach((file, names) -> out.println("(" + file + " needs " + String.join(", ", names)
                            + ", not set here; a start without is refused)"));
            out.println(
                    broken.isEmpty()
                            ? files.size() + " route files are good"
                            : broken.size() + " of " + files.size() + " route files would not be taken over");
            return broken.isEmpty() ? GOOD : BROKEN;
        } catch (CannotStart refusal) {
            out.println(refusal.getMessage());
            return refusal.exitCode();
        }
    }

    private static Map<String, String> read(List<String> places) throws IOException {
        Map<String, String> files = new TreeMap<>();
        for (String place : places) {
            Map<String, String> found = Files.exists(Path.of(place)) ? RouteFiles.in(Path.of(place)) : Map.of();
            if (found.isEmpty()) {
                throw new CannotStart("There is no route file in " + place
                        + ": write a folder that holds .yaml files, or one such file");
            }
            files.putAll(found);
        }
        return files;
    }

    /** A target's file may be checked on its own, so the templates next to it are loaded as well. */
    private static Map<String, String> withTemplates(Map<String, String> files) throws IOException {
        Map<String, String> all = new TreeMap<>();
        if (Files.isDirectory(TEMPLATES)) {
            all.putAll(RouteFiles.in(TEMPLATES));
        }
        boolean hasSome = files.keySet().stream()
                .anyMatch(file -> Path.of(file).normalize().getParent() != null
                        && Path.of(file).normalize().getParent().endsWith(TEMPLATES.getFileName()));
        if (hasSome) {
            all.clear();
        }
        all.putAll(files);
        return all;
    }

    private static List<BrokenRouteFile> check(Map<String, String> files) throws Exception {
        try (DefaultCamelContext context = new DefaultCamelContext()) {
            Library.lendTo(context);
            PropertiesComponent properties = (PropertiesComponent) context.getPropertiesComponent();
            properties.setLocation(StartUp.PROPERTIES);
            context.build();
            Settings settings = StartUp.settings(properties);
            context.getRegistry().bind("dataSource", noDatabase());
            Wiring.bind(new Parts(
                    context,
                    settings,
                    null,
                    new Transactions(noDatabase()),
                    noDatabase(),
                    noDatabase(),
                    null,
                    new LiveRoutes(context, Path.of("routes"))));
            Properties overrides = settings.forRoutes();
            overrides.setProperty(Setting.DEMO.key, "false");
            overrides.putAll(RouteProperties.of(settings, null));
            properties.setOverrideProperties(overrides);
            return new RouteCheck(context).of(files);
        }
    }

    /** Routes that are only tried open no connection. */
    private static DataSource noDatabase() {
        return new PGSimpleDataSource() {
            @Override
            public Connection getConnection(String user, String password) throws SQLException {
                throw new SQLException("route files are checked without a database");
            }
        };
    }
}
