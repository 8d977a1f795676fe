package dev.freshet.deliver.provider;

import dev.freshet.deliver.Call;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.apache.camel.Body;
import org.apache.camel.Header;
import org.apache.camel.Variable;
import org.apache.camel.http.base.HttpOperationFailedException;

/**
 * Speaks Redis's own protocol (https://redis.io/docs/latest/develop/reference/protocol-spec/) on a plain socket of the
 * JDK: a handful of pipelined commands and their replies. A client library would bring a pool and an event loop for
 * that, and would have to be taught the deadline of a call. Each call opens a connection; with 500 tags in a call, the
 * cost does not show.
 */
public final class Redis {
    private static final String NONE = "none";
    /** Temporary errors; all others are permanent. */
    private static final Set<String> PASSING = Set.of(
            "LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "NOREPLICAS", "OOM", "MISCONF");

    private final Duration timeout;

    public Redis(Duration timeout) {
        this.timeout = timeout;
    }

    public void unlinkAndPublish(
            @Body Call call,
            @Variable("address") String address,
            @Variable("user") String user,
            @Variable("password") String password,
            @Variable("key") String key,
            @Variable("channel") String channel,
            @Header("x-freshet-ip") String ip)
            throws IOException, TryLater, HttpOperationFailedException {
        URI uri = URI.create(address);
        List<List<String>> commands = new ArrayList<>();
        if (password != null && !password.isEmpty()) {
            commands.add(List.of("AUTH", user, password));
        }
        if (uri.getPath() != null && uri.getPath().length() > 1) {
            commands.add(List.of("SELECT", uri.getPath().substring(1)));
        }
        if (!key.equals(NONE)) {
            List<String> unlink = new ArrayList<>(List.of("UNLINK"));
            call.getTags().forEach(tag -> unlink.add(key.replace("{tag}", tag)));
            commands.add(unlink);
        }
        if (!channel.equals(NONE)) {
            call.getTags().forEach(tag -> commands.add(List.of("PUBLISH", channel.replace("{tag}", tag), tag)));
        }
        send(uri, ip, commands);
    }

    /**
     * For a route publish-NAME, which sends the events of cache processes to Redis as well.
     *
     * @param address redis:// or rediss://, if necessary with USER:PASSWORD@
     */
    public void publish(String event, String address, String channel)
            throws IOException, TryLater, HttpOperationFailedException {
        URI uri = broker(address);
        List<List<String>> commands = new ArrayList<>();
        if (uri.getUserInfo() != null) {
            commands.add(login(uri.getUserInfo()));
        }
        commands.add(List.of("PUBLISH", channel, event));
        send(uri, null, commands);
    }

    /** @param user USER:PASSWORD, :PASSWORD or PASSWORD */
    static List<String> login(String user) {
        String[] parts = user.split(":", 2);
        return parts.length == 2 && !parts[0].isEmpty()
                ? List.of("AUTH", parts[0], parts[1])
                : List.of("AUTH", parts[parts.length - 1]);
    }

    /** An error never quotes the address, because it may contain a password. */
    static URI broker(String address) {
        try {
            URI uri = new URI(address);
            if (uri.getHost() != null && List.of("redis", "rediss").contains(uri.getScheme())) {
                return uri;
            }
        } catch (URISyntaxException quotesIt) {
            // said below
        }
        throw new IllegalArgumentException("the address of Redis must be like redis://:PASSWORD@HOST:6379, with a"
                + " host name without _, and %20 for a blank");
    }

    private void send(URI uri, String ip, List<List<String>> commands)
            throws IOException, TryLater, HttpOperationFailedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        try (Socket socket = connect(uri, ip)) {
            OutputStream out = new BufferedOutputStream(socket.getOutputStream());
            for (List<String> command : commands) {
                out.write(written(command));
            }
            out.flush();
            InputStream in = new BufferedInputStream(socket.getInputStream());
            for (List<String> command : commands) {
                socket.setSoTimeout((int) Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
                String reply = line(in, deadline);
                if (reply.startsWith("-")) {
                    refuse(command.get(0), reply.substring(1));
                }
            }
        }
    }

    /** @param ip one of the addresses of the host name; null: any */
    private Socket connect(URI uri, String ip) throws IOException {
        int port = uri.getPort() < 0 ? 6379 : uri.getPort();
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) timeout.toMillis());
            socket.connect(new InetSocketAddress(ip == null ? uri.getHost() : ip, port), (int) timeout.toMillis());
            if (!uri.getScheme().equals("rediss")) {
                return socket;
            }
            SSLSocket secure = (SSLSocket)
                    ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(socket, uri.getHost(), port, true);
            var parameters = secure.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            secure.setSSLParameters(parameters);
            return secure;
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    private static byte[] written(List<String> command) {
        StringBuilder text = new StringBuilder("*" + command.size() + "\r\n");
        for (String part : command) {
            text.append('$')
                    .append(part.getBytes(StandardCharsets.UTF_8).length)
                    .append("\r\n")
                    .append(part)
                    .append("\r\n");
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String line(InputStream in, long deadline) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new IOException("Redis closed the connection");
            }
            if (System.nanoTime() - deadline > 0 || line.length() > 4096) {
                throw new IOException("no answer in time");
            }
            line.append((char) next);
        }
        return line.toString().strip();
    }

    private static void refuse(String command, String error) throws TryLater, HttpOperationFailedException {
        if (PASSING.contains(error.split(" ", 2)[0])) {
            throw new TryLater(command + ": " + error);
        }
        throw new HttpOperationFailedException("redis", 400, command, null, Map.of(), command + ": " + error);
    }
}
