package dev.freshet.deliver;

import java.io.IOException;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecChainHandler;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;

/** Caches are purged with PURGE and BAN, which camel-http does not know: a route writes them into this header. */
final class AnyMethod implements ExecChainHandler {
    private static final String HEADER = "x-freshet-method";

    @Override
    public ClassicHttpResponse execute(ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        Header method = request.getFirstHeader(HEADER);
        if (method == null) {
            return chain.proceed(request, scope);
        }
        BasicClassicHttpRequest other = new BasicClassicHttpRequest(
                method.getValue(), request.getScheme(), request.getAuthority(), request.getPath());
        other.setHeaders(request.getHeaders());
        other.removeHeaders(HEADER);
        other.setEntity(request.getEntity());
        return chain.proceed(other, scope);
    }
}
