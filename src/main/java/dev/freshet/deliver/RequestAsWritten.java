package dev.freshet.deliver;

import java.io.IOException;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecChainHandler;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;

/**
 * Sends what a route asks for and camel-http does not support. Caches are purged with the methods PURGE and BAN, which
 * camel-http does not know: a route states the method in a header. And camel-http sends {@code ~} as {@code %7E}:
 * decoded, that is the same, but a cache that identifies pages by the request line would see a different page.
 */
final class RequestAsWritten implements ExecChainHandler {
    private static final String METHOD = "x-freshet-method";

    @Override
    public ClassicHttpResponse execute(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        String path = request.getPath().replace("%7E", "~");
        Header method = request.getFirstHeader(METHOD);
        if (method == null) {
            request.setPath(path);
            return chain.proceed(request, scope);
        }
        BasicClassicHttpRequest other =
                new BasicClassicHttpRequest(method.getValue(), request.getScheme(), request.getAuthority(), path);
        other.setHeaders(request.getHeaders());
        other.removeHeaders(METHOD);
        other.setEntity(request.getEntity());
        return chain.proceed(other, scope);
    }
}
