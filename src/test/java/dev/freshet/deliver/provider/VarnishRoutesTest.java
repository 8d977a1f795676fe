package dev.freshet.deliver.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.freshet.testing.TargetRouteTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VarnishRoutesTest extends TargetRouteTest {
    VarnishRoutesTest() {
        super("templates/varnish.camel.yaml");
    }

    @Test
    void xkey_purges_all_tags_with_one_header() throws Exception {
        target("varnish", Map.of("address", receiver.url()));
        deliver("seda:target-cdn", "course:7", "course:8");
        assertEquals(List.of("PURGE /\n"), calls());
        assertEquals(Map.of("xkey-purge", "course:7 course:8"), headers());
        assertEquals(List.of("direct:delivered {}"), happened());
    }

    @Test
    void ban_bans_all_tags_with_one_expression() throws Exception {
        target("varnish", Map.of("address", receiver.url(), "mode", "ban"));
        deliver("seda:target-cdn", "course:7", "course.8");
        assertEquals(List.of("BAN /\n"), calls());
        assertEquals(Map.of("x-ban-tags", "(^|,)(course:7|course[.]8)(,|$)"), headers());
        assertEquals(List.of("direct:delivered {}"), happened());
    }

    @Test
    void purge_purges_the_page_whose_path_is_the_tag() throws Exception {
        target("varnish", Map.of("address", receiver.url(), "mode", "purge"));
        deliver("seda:target-cdn", "/courses/7");
        assertEquals(List.of("PURGE /courses/7\n"), calls());
        assertEquals(Map.of(), headers());
        assertEquals(List.of("direct:delivered {}"), happened());
    }
}
