package dev.freshet.live;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;

/** Bytes for many readers: as they are, and as one chunk of HTTP/1.1. Built once, never changed. */
final class Shared {
    private static final byte[] END_OF_LINE = {'\r', '\n'};

    private final Buffer bytes;
    private final byte[] chunk;

    Shared(Buffer bytes) {
        this.bytes = bytes;
        byte[] length = Integer.toHexString(bytes.length()).getBytes(StandardCharsets.US_ASCII);
        this.chunk = Buffer.buffer(bytes.length() + length.length + 2 * END_OF_LINE.length)
                .appendBytes(length)
                .appendBytes(END_OF_LINE)
                .appendBuffer(bytes)
                .appendBytes(END_OF_LINE)
                .getBytes();
    }

    static Shared of(String text) {
        return new Shared(Buffer.buffer(text));
    }

    int length() {
        return bytes.length();
    }

    Buffer bytes() {
        return bytes;
    }

    /** The same memory for every reader, with a read position of its own. */
    ByteBuf chunk() {
        return Unpooled.wrappedBuffer(chunk);
    }
}
