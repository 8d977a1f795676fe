package dev.freshet.routes;

import dev.freshet.routes.LiveRoutes.Broken;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.CamelContext;

/** Tries route files as a running Freshet would before it takes them over, and tells of each what is wrong with it. */
public final class RouteCheck {
    private final Trial trial;

    /** @param context has the beans and the settings that routes name; it need not be started */
    public RouteCheck(CamelContext context) {
        this.trial = new Trial(context);
    }

    /** @param files name and text */
    public List<Broken> of(Map<String, String> files) {
        if (failure(files) == null) {
            return List.of();
        }
        // a trial ends at the first mistake; and a file may need what another declares, so that what failed is tried again after each gain
        Map<String, String> good = new TreeMap<>();
        Map<String, Exception> failures = new TreeMap<>();
        int before;
        do {
            before = good.size();
            failures.clear();
            for (Map.Entry<String, String> file : files.entrySet()) {
                if (!good.containsKey(file.getKey())) {
                    Map<String, String> with = new TreeMap<>(good);
                    with.put(file.getKey(), file.getValue());
                    Exception failure = failure(with);
                    if (failure == null) {
                        good.putAll(with);
                    } else {
                        failures.put(file.getKey(), failure);
                    }
                }
            }
        } while (good.size() > before && !failures.isEmpty());
        List<Broken> broken = new ArrayList<>();
        failures.forEach((file, failure) -> broken.add(Broken.of(file, files.get(file), null, failure)));
        return broken;
    }

    private Exception failure(Map<String, String> files) {
        try {
            trial.of(files);
            return null;
        } catch (Exception e) {
            return e;
        }
    }
}
