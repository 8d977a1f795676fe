package dev.freshet.live;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpContentEncoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.impl.ConnectionBase;

/**
 * The way to one reader, on its connection's event loop. What many get is a ready chunk that goes past Vert.x and the
 * HTTP encoder: what those do for each message need not be done for each reader. HTTP/2 frames its data by itself.
 */
final class Wire {
    private final HttpServerResponse response;
    private final ConnectionBase connection;
    /** Where ready chunks go; null: through Vert.x. */
    private final ChannelHandlerContext chunks;

    Wire(HttpServerRequest request, int mostUnsentBytes) {
        this.response = request.response();
        this.connection = (ConnectionBase) request.connection();
        this.chunks = request.version() == HttpVersion.HTTP_1_1
                ? afterEncoder(connection.channel().pipeline())
                : null;
        response.setWriteQueueMaxSize(mostUnsentBytes);
    }

    private static ChannelHandlerContext afterEncoder(ChannelPipeline pipeline) {
        return pipeline.get(HttpContentEncoder.class) != null ? null : pipeline.context(HttpResponseEncoder.class);
    }

    void write(Shared bytes) {
        if (chunks == null || !response.headWritten()) {
            response.write(bytes.bytes());
        } else {
            chunks.writeAndFlush(bytes.chunk(), connection.voidPromise);
        }
    }

    boolean isFull() {
        return chunks == null
                ? response.writeQueueFull()
                : !connection.channel().isWritable();
    }

    void whenThereIsRoom(Runnable next) {
        response.drainHandler(drained -> {
            response.drainHandler(null);
            next.run();
        });
    }

    void end(String lastWords) {
        response.end(lastWords);
    }

    /** Past Vert.x's handlers, whose close would wait until what is unsent has been sent. */
    void cut() {
        Channel channel = connection.channelHandlerContext().channel();
        channel.unsafe().close(channel.newPromise());
    }
}
