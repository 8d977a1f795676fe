package dev.freshet.run.beans;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.settings.SettingSources;
import dev.freshet.settings.Settings;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoutePropertiesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | '' | 1, 2, 4, 8, 10, 10 …",
                "500ms | 2500ms | 0.5, 1, 2, 2.5, 2.5 …",
                "5s | 20s | 5, 10, 20, 20 …",
                "10s | 10s | 10, 10 …"
            })
    void the_pauses_between_probes_are_those_that_are_set(String probe, String most, String pauses) {
        Map<String, String> environment = Map.of("FRESHET_BREAKER_PROBE", probe, "FRESHET_BREAKER_PROBE_MAX", most);
        Settings settings = new Settings(new SettingSources(environment::get, key -> null));
        assertEquals(pauses, RouteProperties.of(settings, null).getProperty("freshet.deliver.breaker-probes"));
    }
}
