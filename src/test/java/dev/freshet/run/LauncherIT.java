package dev.freshet.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher as the build leaves it next to the jar. */
@DisabledOnOs(OS.WINDOWS)
class LauncherIT {
    private static final String SHARED = "dev.freshet.run.routes.RouteCheck source: shared objects file (top)";

    @TempDir
    Path folder;

    @Test
    void the_build_has_made_the_archive_that_it_uses() throws Exception {
        Path launcher = FreshetProcess.jar().resolveSibling("freshet");
        assertTrue(Files.isExecutable(launcher));
        long archives = archives(launcher.getParent());
        assertTrue(archives > 0);
        assertTrue(loaded(launcher, Map.of()).contains(SHARED));
        assertEquals(archives, archives(launcher.getParent()), "made once");
    }

    @Test
    void without_an_archive_the_first_start_makes_it_and_a_newer_jar_gets_another() throws Exception {
        Path launcher = Files.copy(FreshetProcess.jar().resolveSibling("freshet"), folder.resolve("freshet"));
        launcher.toFile().setExecutable(true);
        Files.copy(FreshetProcess.jar(), folder.resolve("freshet.jar"));
        assertEquals(0, archives(folder));
        assertTrue(loaded(launcher, Map.of()).contains(SHARED));
        assertEquals(1, archives(folder));
        Path archive;
        try (Stream<Path> files = Files.list(folder)) {
            archive = files.filter(file -> file.toString().endsWith(".jsa"))
                    .findAny()
                    .orElseThrow();
        }
        Files.setLastModifiedTime(archive, java.nio.file.attribute.FileTime.fromMillis(0));
        assertTrue(loaded(launcher, Map.of()).contains(SHARED));
        assertTrue(Files.getLastModifiedTime(archive).toMillis() > 0);
    }

    @Test
    void java_opts_have_the_last_word() throws Exception {
        Path launcher = FreshetProcess.jar().resolveSibling("freshet");
        assertFalse(loaded(launcher, Map.of("JAVA_OPTS", "-Xshare:off")).contains("shared objects file"));
    }

    private static long archives(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".jsa")).count();
        }
    }

    /** The log of the classes that `check` has loaded. */
    private String loaded(Path launcher, Map<String, String> environment) throws Exception {
        Path log = Files.createTempFile(folder, "classes-", ".log");
        List<String> command = new ArrayList<>(Arrays.asList(
                launcher.toString(), "check", Path.of("routes").toAbsolutePath().toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment()
                .put("JAVA_OPTS", environment.getOrDefault("JAVA_OPTS", "") + " -Xlog:class+load:file=" + log);
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), said);
        assertTrue(said.endsWith("route files are good\n"), said);
        return Files.readString(log);
    }
}
