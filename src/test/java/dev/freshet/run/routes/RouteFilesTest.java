package dev.freshet.run.routes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RouteFilesTest {
    @Test
    void each_packed_file_is_named_individually_so_that_the_jar_is_not_searched() throws Exception {
        List<String> files = RouteFiles.in(Path.of("routes")).keySet().stream()
                .map(file -> "classpath:" + file)
                .toList();
        assertEquals(files, Arrays.asList(RouteFiles.packedForCamel().split(",")));
    }
}
