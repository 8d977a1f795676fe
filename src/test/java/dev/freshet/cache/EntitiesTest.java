package dev.freshet.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.demo.DemoData;
import dev.freshet.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Entities in SQL: the rules in cache_tag_rules, the functions of the registry, the preset of watches, and the demo's
 * academy.
 */
class EntitiesTest {
    private TestDatabase database;

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
    }

    @AfterEach
    void close() throws SQLException {
        database.close();
    }

    @Test
    void the_preset_watches_the_tables_and_columns_that_exist() throws SQLException {
        assertTrue(assertThrows(SQLException.class, () -> database.run("SELECT install_cache_entities()"))
                .getMessage()
                .contains("none of the tables"));
        database.run("CREATE TABLE public.products (id int PRIMARY KEY, client_id int, title text); CREATE TABLE"
                + " public.clients (id int PRIMARY KEY); CREATE TABLE public.lessons (id int, title text)");
        assertEquals(
                List.of(
                        "public.clients"
                                + " {job_readiness_products,products,\"client:{id}\",client_configs,clients,settings}",
                        "public.lessons {module_content,modules,lessons}",
                        "public.products"
                                + " {\"product:{id}\",job_readiness_products,products,"
                                + "\"client:{client_id}\",client_configs,clients,settings}"),
                database.list("SELECT watched || ' ' || tags::text FROM install_cache_entities() ORDER BY 1"));
        assertQueued(
                "INSERT INTO public.products VALUES (7, 3, 'x')",
                "product:7",
                "client:3",
                "products",
                "job_readiness_products",
                "client_configs",
                "clients",
                "settings");
        assertQueued("INSERT INTO public.lessons VALUES (1, 'x')", "module_content", "modules", "lessons");
        database.run("UPDATE cache_tag_rules SET tags = tags || 'syllabus'::text WHERE name = 'module_content'; SELECT"
                + " install_cache_entities()");
        assertQueued("UPDATE public.lessons SET title = 'y'", "module_content", "modules", "lessons", "syllabus");
    }

    @Test
    void rules_that_include_each_other_terminate() throws SQLException {
        database.run(
                "INSERT INTO cache_tag_rules (name, tags, includes) VALUES ('hen', '{hen}', '{egg}'), ('egg', '{egg}',"
                        + " '{hen,nobody}')");
        assertEquals("{hen,egg}", database.one("SELECT cache_tags_of_rule('hen')"));
        assertEquals("{}", database.one("SELECT cache_tags_of_rule('nobody')"));
        assertEquals(
                "{job_readiness_products,products}",
                database.one("SELECT cache_tags_of_rule('products', '{\"clientId\": \"\"}')"));
        assertTrue(assertThrows(SQLException.class, () -> database.run("SELECT cache_invalidate('nobody')"))
                .getMessage()
                .contains("no rule 'nobody'"));
    }

    @Test
    void an_id_is_never_taken_for_a_template() throws SQLException {
        assertEquals(
                "{job_readiness_products,products,\"client:{productId}\"}",
                database.one(
                        "SELECT cache_tags_of_rule('products', '{\"clientId\": \"{productId}\", \"productId\": 1}')"));
    }

    @Test
    void the_registry_works_in_the_callers_transaction() throws SQLException {
        try (Connection c = database.connect()) {
            TestDatabase.run(
                    c,
                    "SELECT cache_entry_put('a', '{\"x\": 1}', ARRAY['t'], 60), cache_entry_put('b', 'null',"
                            + " ARRAY['t'])");
            c.setAutoCommit(false);
            assertEquals(List.of("2"), TestDatabase.list(c, "SELECT cache_invalidate_tags(ARRAY['t', 't', 'u'])"));
            c.rollback();
            assertEquals(List.of("{\"x\": 1}"), TestDatabase.list(c, "SELECT cache_entry_get('a')"));
            assertEquals(
                    List.of("0"),
                    TestDatabase.list(
                            c,
                            "SELECT (SELECT count(*) FROM freshet.publication) + (SELECT count(*) FROM"
                                    + " freshet.inbox)"));
            c.commit();
            TestDatabase.run(c, "SET TRANSACTION READ ONLY");
            assertEquals(
                    List.of("{\"x\": 1}"),
                    TestDatabase.list(c, "SELECT cache_entry_get('a')"),
                    "also where nothing can be counted");
            c.rollback();
            assertEquals(List.of("t"), TestDatabase.list(c, "SELECT cache_entry_delete('a')"));
            assertEquals(List.of("f"), TestDatabase.list(c, "SELECT cache_entry_delete('a')"));
            c.commit();
        }
        for (String wrong : List.of(
                "cache_entry_put('')",
                "cache_entry_put(repeat('x', 1025))",
                "cache_entry_put(repeat('🚀', 1000))",
                "cache_entry_put('k', NULL, ARRAY[''])",
                "cache_entry_put('k', NULL, ARRAY[repeat('x', 257)])",
                "cache_invalidate_keys(ARRAY['a', NULL])",
                "cache_invalidate_keys(ARRAY[''])",
                "cache_invalidate_tags(ARRAY['a', ''])")) {
            assertThrows(SQLException.class, () -> database.run("SELECT " + wrong), wrong);
        }
        assertEquals("1", database.one("SELECT count(*) FROM cache_entries"));
    }

    @Test
    void invalidating_the_same_entries_in_different_orders_does_not_deadlock() throws Exception {
        database.run(
                "SELECT cache_entry_put('k' || i, NULL, ARRAY['t' || i % 7, 'all']) FROM generate_series(1, 500) i");
        Thread[] threads = new Thread[4];
        List<Throwable> failures = java.util.Collections.synchronizedList(new java.util.ArrayList<>());
        for (int t = 0; t < threads.length; t++) {
            int thread = t;
            threads[t] = new Thread(() -> {
                try (Connection c = database.connect()) {
                    for (int i = 0; i < 20; i++) {
                        TestDatabase.run(
                                c,
                                thread % 2 == 0
                                        ? "SELECT cache_invalidate_tags(ARRAY['t" + i % 7 + "', 'all'])"
                                        : "SELECT cache_invalidate_keys(ARRAY(SELECT 'k' || i FROM"
                                                + " generate_series(500, 1, -1) i))");
                        TestDatabase.run(
                                c,
                                "SELECT cache_entry_put('k' || i, NULL, ARRAY['t' || i % 7, 'all']) FROM"
                                        + " generate_series(1, 50) i");
                    }
                } catch (Throwable e) {
                    failures.add(e);
                }
            });
            threads[t].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), failures);
    }

    @Test
    void the_demos_academy_is_watched_and_loaded_once() throws SQLException {
        DemoData demo = new DemoData(database.pool(2));
        demo.load();
        demo.load();
        assertEquals("6", database.one("SELECT count(*) FROM products"));
        assertEquals(
                "{clients,expert_sessions,lessons,modules,products}",
                database.one(
                        "SELECT array_agg(watched::text ORDER BY watched::text) FROM freshet.watch WHERE watched::text"
                                + " = ANY ('{clients,expert_sessions,lessons,modules,products}')"));
        assertQueued(
                "UPDATE products SET price = 1 WHERE id = 2",
                "product:2",
                "client:3",
                "products",
                "job_readiness_products",
                "client_configs",
                "clients",
                "settings");
    }

    private void assertQueued(String sql, String... tags) throws SQLException {
        database.run("DELETE FROM freshet.inbox; " + sql);
        assertEquals(new TreeSet<>(List.of(tags)), new TreeSet<>(database.list("SELECT tag FROM freshet.inbox")));
    }
}
