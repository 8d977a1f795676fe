package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.deliver.policy.Policy;
import java.util.Arrays;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;

/** What the template freshet-target makes of its parameters. */
class PlainCallTest {
    @Test
    void a_body_has_one_of_three_forms_or_is_a_text_with_tags_in_it() {
        assertEquals("{\"tag\":\"a\\\"b\"}", fill("", "", "auto", "a\"b").getBody());
        assertEquals("{\"tags\":[\"a\",\"b\"]}", fill("", "", "auto", "a", "b").getBody());
        assertEquals(
                "{\"keys\":[\"a\\\"\",\"b\"]}",
                fill("", "", "{\"keys\":{tags}}", "a\"", "b").getBody());
        assertEquals(
                "{\"key\":\"a\\\"\"}", fill("", "", "{\"key\":{tag}}", "a\"").getBody());
        String batch = fill("", "", "batch", "a", "b").getBody(String.class);
        assertTrue(batch.startsWith("{\"tags\":[\"a\",\"b\"],\"source\":"), batch);
        assertEquals("", fill("/{tag}", "", "none", "a").getBody());
    }

    @Test
    void a_tag_in_a_path_or_a_header_cannot_become_anything_else() {
        Message message = fill("/purge/{tag}", "X-Tag: {tag}\nX-All: {tags}\n", "none", "../a b\r\nX-Evil: 1");
        assertEquals("/purge/..%2Fa%20b%0D%0AX-Evil:%201", message.getHeader(Exchange.HTTP_PATH));
        assertEquals("..%2Fa%20b%0D%0AX-Evil:%201", message.getHeader("X-Tag"));
        assertEquals("/purge/%2E%2E", fill("/purge/{tag}", "", "none", "..").getHeader(Exchange.HTTP_PATH));
        assertEquals("a,b%2Cc", fill("", "X-All: {tags}", "none", "a", "b,c").getHeader("X-All"));
    }

    @Test
    void parameters_that_make_no_sense_are_refused_with_what_to_write() {
        assertRefused("headers has the line \"Bearer s…\": write Name: value", "", "Bearer secret", "auto", 1);
        assertRefused("body is \"json\": write auto", "", "", "json", 1);
        assertRefused("body is none, and neither", "/all", "", "none", 1);
        assertRefused("batch is 5 and {tag} is one tag", "/{tag}", "", "none", 5);
        assertRefused("path says {tags}", "/{tags}", "", "auto", 5);
    }

    private static void assertRefused(String told, String path, String headers, String form, int batch) {
        String message = assertThrows(IllegalArgumentException.class, () -> PlainCall.check(path, headers, form, batch))
                .getMessage();
        assertTrue(message.startsWith(told), message);
    }

    private static Message fill(String path, String headers, String form, String... tags) {
        Exchange exchange = new DefaultExchange(new DefaultCamelContext());
        Call call = Call.of(Arrays.stream(tags)
                .map(tag -> new Delivery(
                        "x", tag, 1, 1, "lease", tags.length, tags.length, 0, 0, Long.MAX_VALUE, false, Policy.NONE))
                .toList());
        new PlainCall().fill(call, path, headers, form, exchange);
        return exchange.getMessage();
    }
}
