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
 * Writes to one reader, on its connection's event loop. Shared bytes are written as a ready chunk, bypassing Vert.x and
 * the HTTP encoder, so that their work per message is not repeated for each reader. HTTP/2 needs frames of its own and
 * does not use this.
 */
final class Wire {
    private final HttpServerResponse response;
    private final ConnectionBase connection;
    /** The place in the pipeline where ready chunks are written; null: write through Vert.x. */
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

    /** Bypasses Vert.x's handlers, whose close would wait until the unsent bytes have been sent. */
    void cut() {
        Channel channel = connection.channelHandlerContext().channel();
        channel.unsafe().close(channel.newPromise());
    }
}
