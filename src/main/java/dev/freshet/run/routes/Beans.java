package dev.freshet.run.routes;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The names of the beans that a route file declares. */
final class Beans {
    private Beans() {}

    /** @param text the text of a file that has run, or null */
    static Set<String> in(String text) {
        Set<String> names = new TreeSet<>();
        content(text).forEach(item -> addTo(names, item));
        return names;
    }

    /**
     * @param text the text of a file, or null
     * @return the contents of the sections "beans", in a form that can be compared
     */
    static List<?> sections(String text) {
        return content(text).stream()
                .filter(item -> item instanceof Map<?, ?> map && map.containsKey("beans"))
                .toList();
    }

    private static List<?> content(String text) {
        Object content = text == null || !text.contains("beans:")
                ? null
                : new Load(LoadSettings.builder().build()).loadFromString(text);
        return content instanceof List<?> items ? items : List.of();
    }

    private static void addTo(Set<String> names, Object item) {
        if (item instanceof Map<?, ?> map && map.get("beans") instanceof List<?> beans) {
            for (Object bean : beans) {
                if (bean instanceof Map<?, ?> properties && properties.get("name") instanceof String name) {
                    names.add(name);
                }
            }
        }
    }
}
