package dev.freshet;

import dev.freshet.deliver.HostNames;
import dev.freshet.run.CheckRoutes;
import dev.freshet.run.Library;
import dev.freshet.run.RunUntilShutdown;
import dev.freshet.run.StartUp;
import java.util.List;
import org.apache.camel.main.Main;

/** Keeps caches true to a PostgreSQL database. */
public final class Freshet {
    public static void main(String[] args) throws Exception {
        HostNames.forgetSoon();
        Library.open();
        if (args.length > 0 && args[0].equals("check")) {
            System.exit(new CheckRoutes(System.out).run(List.of(args).subList(1, args.length)));
        }
        // given a class, Main would search every entry of the jar for beans, which takes a second
        System.exit(new RunUntilShutdown(new Main(), new StartUp()).run(args));
    }

    private Freshet() {}
}
