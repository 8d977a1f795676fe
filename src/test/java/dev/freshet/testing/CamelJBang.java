package dev.freshet.testing;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.tooling.maven.MavenDownloaderImpl;

/**
 * Camel JBang as it is installed on a machine: its own jars, from Maven's local repository or Maven Central, and
 * nothing of Freshet's.
 */
public final class CamelJBang {
    /** What the jbang tool runs under the name camel. */
    private static final String SCRIPT = """
        public class CamelJBang {
            public static void main(String... arguments) {
                org.apache.camel.dsl.jbang.core.commands.CamelJBangMain.run(arguments);
            }
        }
        """;

    private static final String CAMEL = new org.apache.camel.impl.DefaultCamelContext().getVersion();

    private final String classPath;

    public CamelJBang() throws Exception {
        try (MavenDownloaderImpl maven = new MavenDownloaderImpl()) {
            maven.start();
            classPath =
                    maven
                            .resolveArtifacts(
                                    List.of("org.apache.camel:camel-jbang-core:" + CAMEL), Set.of(), true, false)
                            .stream()
                            .map(artifact -> artifact.getFile().toString())
                            .filter(file -> file.endsWith(".jar"))
                            .collect(Collectors.joining(File.pathSeparator));
        }
    }

    /**
     * The arguments for java in that folder, which is also its home; but Maven's repository is that of this machine.
     */
    public List<String> run(Path folder, String... arguments) throws IOException {
        Path script = Files.writeString(folder.resolve("CamelJBang.java"), SCRIPT);
        Path maven = Path.of(System.getProperty("user.home"), ".m2");
        List<String> command = new ArrayList<>(List.of(
                "-XX:TieredStopAtLevel=1",
                "-Duser.home=" + folder,
                "-Dmaven.repo.local="
                        + System.getProperty(
                                "maven.repo.local", maven.resolve("repository").toString()),
                "-cp",
                classPath,
                script.toString(),
                "run",
                "--logging-color=false"));
        if (Files.exists(maven.resolve("settings.xml"))) {
            command.add("--maven-settings=" + maven.resolve("settings.xml"));
        }
        Collections.addAll(command, arguments);
        return command;
    }
}
