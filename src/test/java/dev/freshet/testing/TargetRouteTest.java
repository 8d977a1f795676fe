package dev.freshet.testing;

import dev.freshet.deliver.Call;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;

/** A target's file or template: what its call looks like to a receiver, by real HTTP. */
public abstract class TargetRouteTest extends RouteTest {
    /** What any client says. */
    private static final List<String> USUAL =
            List.of("accept-encoding", "connection", "content-length", "host", "transfer-encoding", "user-agent");

    protected final Receiver receiver = new Receiver();

    protected TargetRouteTest(String... files) {
        super(files);
    }

    @AfterEach
    void close() {
        receiver.close();
    }

    /** As the policy "deliver" begins a call. */
    protected Exchange deliver(String route, String... tags) throws Exception {
        Call call = call(tags);
        return send(route, call, Map.of(), Map.of("call", call, "address", receiver.url()));
    }

    /** {@code POST /purge}, and the body on a line of its own. */
    protected List<String> calls() {
        return receiver.calls().stream()
                .map(call -> call.request().replace(" HTTP/1.1", "") + '\n' + call.body())
                .toList();
    }

    /** What the last call said above its body, but for what any call says. */
    protected Map<String, String> headers() {
        Map<String, String> headers =
                new TreeMap<>(receiver.calls().get(receiver.calls().size() - 1).headers());
        USUAL.forEach(headers::remove);
        return headers;
    }
}
