package dev.freshet.testing;

import dev.freshet.deliver.Call;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.Exchange;
import org.junit.jupiter.api.AfterEach;

/** Tests a target's file or template: what its call looks like to a receiver, over real HTTP. */
public abstract class TargetRouteTest extends RouteTest {
    /** Headers that any client sends. */
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

    /** Begins a call as the policy "deliver" does. */
    protected Exchange deliver(String route, String... tags) throws Exception {
        Call call = call(tags);
        return send(route, call, Map.of(), Map.of("call", call, "address", receiver.url()));
    }

    /** Each call as {@code POST /purge}, and its body on a line of its own. */
    protected List<String> calls() {
        return receiver.calls().stream()
                .map(call -> call.request().replace(" HTTP/1.1", "") + '\n' + call.body())
                .toList();
    }

    /** The headers of the last call, except those that any client sends. */
    protected Map<String, String> headers() {
        Map<String, String> headers =
                new TreeMap<>(receiver.calls().get(receiver.calls().size() - 1).headers());
        USUAL.forEach(headers::remove);
        return headers;
    }
}
