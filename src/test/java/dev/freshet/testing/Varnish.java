package dev.freshet.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Varnish as Debian packages it, with the configuration of docs/targets.md. */
public final class Varnish {
    private Varnish() {}

    /** Skips the test if Varnish cannot be started. */
    public static void needed() {
        Installed.needs("/usr/sbin/varnishd", "varnish");
        Installed.needs("/usr/lib/x86_64-linux-gnu/varnish/vmods/libvmod_xkey.so", "varnish-modules");
        Installed.needs("/usr/bin/gcc", "gcc");
    }

    /** @param folder where it writes its files and its log, varnish.log */
    public static Process start(Path folder, String vcl, int port) throws IOException {
        return new ProcessBuilder(
                        "/usr/sbin/varnishd",
                        "-j",
                        "none",
                        "-F",
                        "-n",
                        folder.resolve("varnish").toString(),
                        "-a",
                        "127.0.0.1:" + port,
                        "-f",
                        Files.writeString(folder.resolve("docs.vcl"), vcl).toString(),
                        "-s",
                        "malloc,32m")
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("varnish.log").toFile())
                .start();
    }
}
