package dev.freshet.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Requests byte for byte: an HTTP client would refuse or repair those that tests of the gate need. */
public record RawHttp(int port) {

    private static final int FAIL_RATHER_THAN_HANG_MILLIS = 20_000;

    public record Answer(int status, Map<String, String> headers, String body) {

        public String header(String name) {
            return headers.get(name.toLowerCase(Locale.ROOT));
        }

        public JsonNode json() {
            try {
                return new ObjectMapper().readTree(body);
            } catch (IOException e) {
                throw new AssertionError("not JSON: " + body, e);
            }
        }
    }

    /** @param request the method and target, e.g. {@code GET /live/x} */
    public Answer ask(String request, String... headers) {
        return send(request, "", headers);
    }

    public Answer post(String target, String body, String... headers) {
        String[] more = new String[headers.length + 1];
        System.arraycopy(headers, 0, more, 0, headers.length);
        more[headers.length] = "Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length;
        return send("POST " + target, body, more);
    }

    public Answer send(String request, String body, String... headers) {
        StringBuilder text = new StringBuilder(request).append(" HTTP/1.1\r\n");
        if (List.of(headers).stream()
                .noneMatch(header -> header.toLowerCase(Locale.ROOT).startsWith("host:"))) {
            text.append("Host: localhost:").append(port).append("\r\n");
        }
        for (String header : headers) {
            text.append(header).append("\r\n");
        }
        return exchange(text + "Connection: close\r\n\r\n" + body);
    }

    public Answer exchange(String bytes) {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(FAIL_RATHER_THAN_HANG_MILLIS);
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
            return read(socket.getInputStream());
        } catch (IOException e) {
            throw new AssertionError(
                    "no answer to: " + bytes.lines().findFirst().orElse(""), e);
        }
    }

    private static Answer read(InputStream in) throws IOException {
        String status = line(in);
        Map<String, String> headers = new TreeMap<>();
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            String[] pair = line.split(":", 2);
            headers.merge(pair[0].toLowerCase(Locale.ROOT), pair[1].strip(), (a, b) -> a + ", " + b);
        }
        StringBuilder body = new StringBuilder();
        if ("chunked".equals(headers.get("transfer-encoding"))) {
            for (int size = Integer.parseInt(line(in), 16); size > 0; size = Integer.parseInt(line(in), 16)) {
                body.append(new String(in.readNBytes(size), StandardCharsets.UTF_8));
                line(in);
            }
        } else if (headers.containsKey("content-length")) {
            body.append(
                    new String(in.readNBytes(Integer.parseInt(headers.get("content-length"))), StandardCharsets.UTF_8));
        }
        return new Answer(Integer.parseInt(status.split(" ")[1]), headers, body.toString());
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new IOException("closed after: " + line);
            }
            if (next != '\r') {
                line.write(next);
            }
        }
        return line.toString(StandardCharsets.UTF_8);
    }
}
