package dev.freshet;

import org.apache.camel.main.BaseMainSupport;
import org.apache.camel.main.MainListenerSupport;
import org.apache.camel.component.platform.http.vertx.VertxPlatformHttpServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

final class StartUp extends MainListenerSupport implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Freshet.class);

    @Override
    public void afterStart(BaseMainSupport main) {
        VertxPlatformHttpServer server = main.getCamelContext().hasService(VertxPlatformHttpServer.class);
        LOG.info("Freshet is listening on http://{}:{}", server.getHost(), server.getPort());
    }

    @Override
    public void close() {
    }
}
