package dev.freshet.testing;

import dev.freshet.deliver.Call;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.camel.Exchange;

/** What routes have called, in order, and what those calls return. */
final class Journal {
    private final List<String> entries = new ArrayList<>();
    private final Map<String, Deque<Optional<Object>>> answers = new HashMap<>();

    /** @param inTurn the answers one after the other, the last of which is repeated; an exception is thrown */
    synchronized void answer(String what, Object... inTurn) {
        answers.put(
                what,
                new ArrayDeque<>(Arrays.stream(inTurn).map(Optional::ofNullable).toList()));
    }

    /** A call of a bean's method, such as {@code turn.take()}. */
    synchronized Object call(String method, Object... arguments) throws Exception {
        List<Object> all = arguments == null ? List.of() : Arrays.asList(arguments);
        entries.add(method + all.stream().map(Journal::said).collect(Collectors.joining(", ", "(", ")")));
        return answer(method);
    }

    /** A message to an endpoint or a processor, with its body. */
    synchronized Object reach(String what, Object body) throws Exception {
        entries.add(body == null ? what : what + ' ' + said(body));
        return answer(what);
    }

    /** Anything else, such as a line of the log. */
    synchronized void add(String entry) {
        entries.add(entry);
    }

    synchronized List<String> taken() {
        List<String> taken = List.copyOf(entries);
        entries.clear();
        return taken;
    }

    private Object answer(String what) throws Exception {
        Deque<Optional<Object>> left = answers.getOrDefault(what, new ArrayDeque<>());
        Object answer = left.isEmpty() ? null : left.peek().orElse(null);
        if (left.size() > 1) {
            left.remove();
        }
        if (answer instanceof Exception failure) {
            throw failure;
        }
        return answer;
    }

    private static String said(Object value) {
        if (value instanceof Exchange) {
            return "exchange";
        }
        if (value instanceof Throwable failure) {
            return failure.getMessage();
        }
        if (value instanceof Collection<?> all) {
            return all.stream().map(Journal::said).collect(Collectors.joining(", ", "[", "]"));
        }
        return value instanceof Call call ? call.getTags().toString() : String.valueOf(value);
    }
}
