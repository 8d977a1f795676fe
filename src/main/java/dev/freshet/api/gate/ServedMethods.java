package dev.freshet.api.gate;

import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import java.util.HashSet;
import java.util.Set;

/** The methods that are served at a path: a 405 has to name them. */
final class ServedMethods {

    private ServedMethods() {}

    static Set<HttpMethod> at(String path, Router router) {
        Set<HttpMethod> methods = new HashSet<>();
        for (Route route : router.getRoutes()) {
            if (route.methods() != null && route.getPath() != null && leadsTo(route, path)) {
                methods.addAll(route.methods());
            }
        }
        return methods;
    }

    private static boolean leadsTo(Route route, String path) {
        String[] template = route.getPath().replaceFirst("[/*]+$", "").split("/");
        String[] asked = path.replaceFirst("/+$", "").split("/");
        if (asked.length < template.length || route.isExactPath() && asked.length > template.length) {
            return false;
        }
        for (int i = 0; i < template.length; i++) {
            if (!template[i].startsWith(":") && !template[i].equals(asked[i])) {
                return false;
            }
        }
        return true;
    }
}
