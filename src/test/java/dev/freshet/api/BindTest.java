package dev.freshet.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

/** Whose pages may read /live. */
class BindTest {
    @Test
    void an_empty_value_is_the_default_and_a_word_switches_it_off() {
        assertEquals("*", Bind.at("127.0.0.1", false, "").shares("https://shop.example"));
        assertNull(Bind.at("127.0.0.1", false, "none").shares("https://shop.example"));
        assertNull(Bind.at("127.0.0.1", false, "none").shares("none"));
        assertEquals(
                "https://a.example",
                Bind.at("127.0.0.1", false, "https://a.example, https://b.example")
                        .shares("https://a.example"));
    }
}
