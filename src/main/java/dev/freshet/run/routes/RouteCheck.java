package dev.freshet.run.routes;

import dev.freshet.run.routes.Variables.StandIns;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.apache.camel.CamelContext;

/** Tries route files as a running Freshet does before it accepts them, and reports for each what is wrong with it. */
public final class RouteCheck {
    private final CamelContext context;

    /** @param context has the beans and the settings that the routes name; it need not be started */
    public RouteCheck(CamelContext context) {
        this.context = context;
    }

    /** @param files name to text */
    public List<BrokenRouteFile> of(Map<String, String> files) {
        Map<String, String> good = new TreeMap<>();
        Map<String, Exception> failures = new TreeMap<>();
        List<String> open = List.copyOf(files.keySet());
        int before;
        // a file may need what another declares: failed files are tried again as long as others turn out to be good
        do {
            before = good.size();
            failures.clear();
            sort(open, files, good, failures);
            open = List.copyOf(failures.keySet());
        } while (!open.isEmpty() && good.size() > before);
        List<BrokenRouteFile> broken = new ArrayList<>();
        failures.forEach((file, failure) -> broken.add(BrokenRouteFile.of(file, files.get(file), null, failure)));
        return broken;
    }

    /**
     * A trial ends at the first mistake, in whichever file. So the files are bisected until one is alone with the
     * mistake.
     */
    private void sort(
            List<String> names, Map<String, String> files, Map<String, String> good, Map<String, Exception> failures) {
        Map<String, String> with = new TreeMap<>(good);
        names.forEach(name -> with.put(name, files.get(name)));
        Exception failure = failure(with);
        if (failure == null) {
            good.putAll(with);
        } else if (names.size() == 1) {
            failures.put(names.get(0), failure);
        } else {
            sort(names.subList(0, names.size() / 2), files, good, failures);
            sort(names.subList(names.size() / 2, names.size()), files, good, failures);
        }
    }

    /**
     * Variables may be set only where the files are going to run: a file that would be valid with some value of them is
     * valid.
     */
    private Exception failure(Map<String, String> files) {
        Exception failure = failure(files, StandIns::byName);
        if (failure != null && !Variables.missing(files).isEmpty() && failure(files, StandIns::address) == null) {
            return null;
        }
        return failure;
    }

    private Exception failure(Map<String, String> files, UnaryOperator<String> standIns) {
        try {
            new Trial(context).with(new StandIns(standIns)).of(files);
            return null;
        } catch (Exception e) {
            return e;
        }
    }
}
