package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.testing.FreshetProcess;
import dev.freshet.testing.Scene;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Malicious requests, the same ones in every run. FRESHET_FUZZ_REQUESTS sets how many (3,000); bench/README.md names a
 * longer run.
 */
class FuzzIT {
    private static final long SEED = 20261121;
    private static final int REQUESTS = Integer.parseInt(System.getenv().getOrDefault("FRESHET_FUZZ_REQUESTS", "3000"));
    private static final String SECRET = "database-password-8e8e";
    private static final String[] METHODS = {
        "POST", "POST", "POST", "POST", "GET", "GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"
    };
    private static final String[] PATHS = {
        "/invalidate/key",
        "/invalidate/pattern",
        "/api/cache/entries/",
        "/api/cache/invalidate",
        "/api/admin/cache/clear",
        "/api/admin/cache/stats",
        "/audit/logs",
        "/audit/verify",
        "/invalidate/metrics",
        "/api/queue",
        "/api/dead-letters",
        "/api/dead-letters/replay",
        "/api/admin/jobs",
        "/api/admin/enqueue-stats-job",
        "/functions/v1/cache-invalidation-worker",
        "/openapi.json",
        "/observe/health",
        "/nothing/here"
    };
    private static final String[] FIELDS = {
        "keys",
        "pattern",
        "cache_keys",
        "request_id",
        "triggered_by",
        "type",
        "tags",
        "event",
        "clientId",
        "productId",
        "products",
        "value",
        "ttl_seconds",
        "expires_at",
        "triggeredBy",
        "requestId",
        "tenantId",
        "target",
        "tag",
        "error"
    };
    private static final String[] TEXTS = {
        "",
        "a",
        "*",
        "user:*",
        "(a+)+$",
        "[",
        "\\\\",
        "'; DROP TABLE cache_entries; --",
        "1 OR 1=1",
        "$1",
        ":#keys",
        "${body}",
        "{{freshet.api.key}}",
        "${env:PATH}",
        "\\u0000",
        "\\ud83d",
        "\\ude00\\ud83d",
        "\\u2028",
        "../../etc/passwd",
        "%00",
        "NaN",
        "2030-01-01T00:00:00Z",
        "infinity",
        "-infinity",
        "all",
        "products",
        "onBulkDataImport",
        "admin",
        "💥",
        "x".repeat(2000),
        "<script>alert(1)</script>",
        "resource:file:/etc/passwd",
        "ref:dataSource",
        "{",
        "}",
        "]",
        "\\\"",
        "null",
        "true"
    };
    private static final String[] HEADERS = {
        "CamelSqlQuery: DROP TABLE cache_entries",
        "CamelHttpPath: /admin",
        "CamelFileName: /etc/passwd",
        "camelhttpresponsecode: 599",
        "CamelBeanMethodName: stop",
        "X-Forwarded-Proto: https",
        "Accept: text/html",
        "Accept-Encoding: gzip",
        "If-None-Match: *",
        "Range: bytes=0-1",
        "Expect: 100-continue",
        "Content-Encoding: gzip",
        "Transfer-Encoding: chunked",
        "X-Request-Id: " + "r".repeat(300),
        "X-Request-Id: ok-1",
        "Origin: http://evil.example",
        "Cookie: a=b",
        "Authorization: Basic eDp5",
        "Upgrade: h2c",
        "X-HTTP-Method-Override: DELETE",
        "Limit: 5"
    };

    private final Random random = new Random(SEED);

    @Test
    void bad_requests_are_answered_properly() throws Exception {
        try (Scene scene = new Scene("INTERNAL_API_KEY=full-key-51b2", "FRESHET_BUCKET=1s", "FRESHET_DEBOUNCE=1d")) {
            scene.set("DATABASE_URL=" + scene.database.url().replace("freshet@", "freshet:" + SECRET + "@"));
            FreshetProcess freshet = scene.start();
            int port = URI.create(freshet.url()).getPort();
            Map<Integer, Integer> statuses = new TreeMap<>();
            for (int i = 0; i < REQUESTS; i++) {
                byte[] request = request(port);
                String answer = exchange(port, request);
                int status = answer.isEmpty() ? 0 : Integer.parseInt(answer.substring(9, 12));
                statuses.merge(status, 1, Integer::sum);
                int number = i;
                assertTrue(
                        status < 500,
                        () -> "request " + number + ":\n" + new String(request, StandardCharsets.ISO_8859_1) + "\n"
                                + answer);
                for (String leak : List.of(
                        SECRET,
                        "full-key-51b2",
                        "\tat ",
                        "PSQLException",
                        "SELECT ",
                        "INSERT ",
                        "java.lang",
                        "org.apache",
                        "evil.example")) {
                    assertFalse(
                            answer.contains(leak),
                            () -> "request " + number + " leaks " + leak + ":\n"
                                    + new String(request, StandardCharsets.ISO_8859_1) + "\n" + answer);
                }
            }
            assertTrue(
                    statuses.getOrDefault(400, 0) > REQUESTS / 10 && statuses.getOrDefault(200, 0) > REQUESTS / 34,
                    statuses::toString);
            assertTrue(statuses.getOrDefault(0, 0) < REQUESTS / 200, () -> "hardly any is hung up on: " + statuses);
            assertEquals(200, freshet.get("/observe/health").statusCode());
            assertEquals("1", scene.database.one("SELECT count(*) FROM pg_class WHERE relname = 'cache_entries'"));
            assertFalse(freshet.log().contains("Answered 500"), freshet::log);
        }
    }

    private byte[] request(int port) {
        String path = pick(PATHS);
        if (path.endsWith("entries/")) {
            path += random.nextBoolean()
                    ? "k" + random.nextInt(5)
                    : java.net.URLEncoder.encode(pick(TEXTS), StandardCharsets.UTF_8);
        }
        if (random.nextInt(3) == 0) {
            path += "?"
                    + pick(new String[] {
                        "limit",
                        "offset",
                        "kind",
                        "pattern",
                        "request_id",
                        "cursor",
                        "from",
                        "status",
                        "force",
                        "tag",
                        "id",
                        "CamelSqlQuery",
                        "cacheKey"
                    })
                    + "=" + java.net.URLEncoder.encode(pick(TEXTS), StandardCharsets.UTF_8);
        }
        byte[] body = body();
        StringBuilder head = new StringBuilder(pick(METHODS))
                .append(' ')
                .append(path)
                .append(" HTTP/1.1\r\nHost: localhost:")
                .append(port)
                .append("\r\nConnection: close\r\n");
        if (random.nextInt(20) > 0) {
            head.append("x-api-key: full-key-51b2\r\n");
        }
        if (random.nextInt(15) > 0) {
            head.append("Content-Type: application/json\r\n");
        }
        String hostile = random.nextInt(3) == 0 ? pick(HEADERS) : "X: y";
        head.append(hostile).append("\r\n");
        if (!hostile.startsWith("Transfer-Encoding")) {
            head.append("Content-Length: ").append(body.length).append("\r\n");
        } else {
            body = (Integer.toHexString(body.length) + "\r\n" + new String(body, StandardCharsets.ISO_8859_1)
                            + "\r\n0\r\n\r\n")
                    .getBytes(StandardCharsets.ISO_8859_1);
        }
        byte[] start = head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8);
        byte[] all = java.util.Arrays.copyOf(start, start.length + body.length);
        System.arraycopy(body, 0, all, start.length, body.length);
        return all;
    }

    private byte[] body() {
        switch (random.nextInt(12)) {
            case 0:
                return new byte[0];
            case 1:
                byte[] noise = new byte[random.nextInt(200)];
                random.nextBytes(noise);
                return noise;
            case 2:
                return "[".repeat(1 + random.nextInt(5000)).getBytes(StandardCharsets.UTF_8);
            case 3:
                return ("{\"value\":" + "{\"a\":".repeat(random.nextInt(2000)) + "1" + "}".repeat(random.nextInt(2000)))
                        .getBytes(StandardCharsets.UTF_8);
            case 4:
                byte[] broken = object().getBytes(StandardCharsets.UTF_8);
                if (broken.length > 2) {
                    broken[random.nextInt(broken.length)] = (byte) (0x80 + random.nextInt(0x80));
                }
                return broken;
            case 5:
                String cut = object();
                return cut.substring(0, random.nextInt(cut.length() + 1)).getBytes(StandardCharsets.UTF_8);
            default:
                return object().getBytes(StandardCharsets.UTF_8);
        }
    }

    private String object() {
        StringBuilder object = new StringBuilder("{");
        for (int i = random.nextInt(5); i >= 0; i--) {
            object.append('"')
                    .append(pick(FIELDS))
                    .append("\":")
                    .append(value(0))
                    .append(i == 0 ? "" : ",");
        }
        return object.append('}').toString();
    }

    private String value(int depth) {
        return switch (random.nextInt(depth > 3 ? 6 : 8)) {
            case 0 ->
                pick(new String[] {
                    "null",
                    "true",
                    "false",
                    "0",
                    "-1",
                    "1e999999999",
                    "-1e-999999999",
                    "1" + "0".repeat(900),
                    "0.1",
                    "9223372036854775808",
                    "NaN",
                    "01",
                    "1e400"
                });
            case 1, 2, 3, 4, 5 -> "\"" + pick(TEXTS) + "\"";
            case 6 -> "[" + value(depth + 1) + "," + value(depth + 1) + "]";
            default -> "{\"" + pick(TEXTS) + "\":" + value(depth + 1) + "}";
        };
    }

    private String pick(String[] of) {
        return of[random.nextInt(of.length)];
    }

    private static String exchange(int port, byte[] request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(30_000);
            OutputStream out = socket.getOutputStream();
            try {
                out.write(request);
                out.flush();
            } catch (IOException e) {
                // the server hung up while the request was still being sent; what it answered before can be read
            }
            InputStream in = new BufferedInputStream(socket.getInputStream());
            try {
                return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            } catch (java.net.SocketException e) {
                return "";
            }
        }
    }
}
