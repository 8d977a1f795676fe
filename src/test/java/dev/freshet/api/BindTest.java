package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

/** Pages of which origins may read /live. */
class BindTest {
    @Test
    void an_empty_list_of_origins_allows_all_and_none_allows_no_page() {
        assertEquals("*", Bind.at("127.0.0.1", false, "").shares("https://shop.example"));
        assertNull(Bind.at("127.0.0.1", false, "none").shares("https://shop.example"));
        assertNull(Bind.at("127.0.0.1", false, "none").shares("none"));
        assertEquals(
                "https://a.example",
                Bind.at("127.0.0.1", false, "https://a.example, https://b.example")
                        .shares("https://a.example"));
    }
}
