package dev.freshet.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.api.Refused;
import dev.freshet.demo.DemoReceiver.ReceivedCall;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DemoReceiverTest {
    private final List<String> stale = new ArrayList<>();
    private final DemoReceiver receiver = new DemoReceiver(
            "right", stale::addAll, Clock.fixed(Instant.parse("2026-11-21T12:00:00Z"), ZoneOffset.UTC));

    @Test
    void the_receiver_remembers_the_last_hundred_calls_newest_first() {
        for (int i = 0; i < 150; i++) {
            receiver.revalidate(Map.of("tag", "t" + i), "right", "msg_" + i);
        }
        List<ReceivedCall> calls = receiver.calls().calls();
        assertEquals(100, calls.size());
        assertEquals(
                new ReceivedCall(Instant.parse("2026-11-21T12:00:00Z"), "tag", List.of("t149"), "msg_149"),
                calls.get(0));
        assertEquals(List.of("t50"), calls.get(99).tags());
    }

    @Test
    void the_receiver_accepts_one_tag_or_several_and_nothing_else() {
        receiver.revalidate(Map.of("tags", List.of("a", "b")), "right", null);
        for (Map<String, Object> bad : List.<Map<String, Object>>of(
                Map.of(), Map.of("tag", 1), Map.of("tags", List.of()), Map.of("tags", List.of(1)))) {
            assertEquals(
                    400,
                    assertThrows(Refused.class, () -> receiver.revalidate(bad, "right", null))
                            .problem()
                            .status());
        }
        assertEquals(1, receiver.calls().calls().size());
        assertEquals(List.of("a", "b"), stale);
    }

    @Test
    void the_receiver_requires_its_secret() {
        for (String shown : new String[] {null, "", "wrong", "rightt"}) {
            assertEquals(
                    401,
                    assertThrows(Refused.class, () -> receiver.revalidate(Map.of("tag", "a"), shown, null))
                            .problem()
                            .status());
        }
        assertNotEquals(DemoReceiver.newSecret(), DemoReceiver.newSecret());
    }
}
