package dev.freshet;

import org.apache.camel.main.Main;

/** Keeps caches true to a PostgreSQL database. */
public final class Freshet {
    public static void main(String[] args) {
        System.exit(new RunUntilShutdown(new Main(Freshet.class), new StartUp()).run(args));
    }

    private Freshet() {
    }
}
