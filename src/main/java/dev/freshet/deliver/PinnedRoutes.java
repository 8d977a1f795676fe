package dev.freshet.deliver;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.impl.DefaultSchemePortResolver;
import org.apache.hc.client5.http.impl.routing.DefaultRoutePlanner;
import org.apache.hc.client5.http.routing.HttpRoutePlanner;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.protocol.HttpContext;

/**
 * Sends a call to one of the addresses that a host name resolves to. The connection goes to that address; everything
 * else (Host, and the name that TLS sends and verifies) stays as the host name requires. Connections are pooled by
 * address as well as by name.
 */
final class PinnedRoutes implements HttpRoutePlanner {
    /** Set before the first step of a route; no receiver sees it. */
    static final String HEADER = "x-freshet-ip";

    private final HttpRoutePlanner byName = new DefaultRoutePlanner(DefaultSchemePortResolver.INSTANCE);

    @Override
    public HttpRoute determineRoute(HttpHost host, HttpContext context) throws HttpException {
        return byName.determineRoute(host, context);
    }

    @Override
    public HttpRoute determineRoute(HttpHost host, HttpRequest request, HttpContext context) throws HttpException {
        Header pin = request.getFirstHeader(HEADER);
        if (pin == null) {
            return byName.determineRoute(host, request, context);
        }
        request.removeHeaders(HEADER);
        try {
            boolean secure = "https".equalsIgnoreCase(host.getSchemeName());
            int port = DefaultSchemePortResolver.INSTANCE.resolve(host.getSchemeName(), host);
            InetAddress ip = InetAddress.getByName(pin.getValue()); // a numeric address: no DNS lookup
            return new HttpRoute(new HttpHost(host.getSchemeName(), ip, host.getHostName(), port), null, secure);
        } catch (UnknownHostException e) {
            throw new HttpException("no address: " + pin.getValue(), e);
        }
    }
}
