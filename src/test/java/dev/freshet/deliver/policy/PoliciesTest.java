package dev.freshet.deliver.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.freshet.database.Transactions;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What cache_invalidation_policy takes and refuses, and which policy a tag falls under. */
class PoliciesTest {
    private static TestDatabase database;

    @BeforeAll
    static void open() throws Exception {
        database = TestDatabase.migrated();
    }

    @AfterAll
    static void close() throws Exception {
        database.close();
    }

    @BeforeEach
    void clear() throws Exception {
        database.run("DELETE FROM freshet.policy");
    }

    @Test
    void a_policy_is_listed_until_it_is_replaced_or_dropped() throws Exception {
        database.run(
                "SELECT cache_invalidation_policy('search:*', debounce => '30s', at_once => true, profile => 'max',"
                        + " priority => 7); SELECT cache_invalidation_policy('search:a', priority => 2)");
        assertEquals(List.of("search:a - f - 2", "search:* 00:00:30 t max 7"), listed());
        database.run(
                "SELECT cache_invalidation_policy('search:*', debounce => '1 day', profile => '{\"expire\": 60}')");
        assertEquals(List.of("search:a - f - 2", "search:* 24:00:00 f {\"expire\": 60} 5"), listed());
        assertEquals(List.of("t"), database.list("SELECT cache_invalidation_policy_drop('search:*')"));
        assertEquals(List.of("f"), database.list("SELECT cache_invalidation_policy_drop('search:*')"));
        assertEquals(List.of("search:a - f - 2"), listed());
    }

    @Test
    void many_calls_read_the_policies_rarely_and_still_learn_a_new_one() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        DataSource pool = database.pool(4);
        DataSource counted = (DataSource) Proxy.newProxyInstance(
                DataSource.class.getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    asked.incrementAndGet();
                    return method.invoke(pool, arguments);
                });
        Policies policies = new Policies(new Transactions(counted));
        policies.keepCurrent();
        long begun = System.nanoTime();
        int before = asked.get();
        while (asked.get() - before < 40) { // more than may be asked without a pause
            policies.keepCurrent();
        }
        long tookMillis = (System.nanoTime() - begun) / 1_000_000;
        assertTrue(tookMillis >= 15 * 20, "40 questions within " + tookMillis + " ms");
        database.run("SELECT cache_invalidation_policy('hot', profile => 'max')");
        Eventually.is(
                Duration.ofSeconds(10),
                () -> {
                    policies.keepCurrent();
                    return "max".equals(policies.of("hot").profile());
                },
                () -> "what was said is not known");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "NULL, priority => 1 | pattern has 1 to 1024 characters; this one has none: it is null",
                "'', priority => 1 | pattern has 1 to 1024 characters; this one has 0",
                "repeat('x', 1025), priority => 1 | this one has 1025",
                "'^search', priority => 1 | pattern '^search' looks like a regular expression",
                "'search$', priority => 1 | pattern 'search$' looks like a regular expression",
                "'a\\d', priority => 1 | pattern E'a\\\\d' looks like a regular expression",
                "'a.*b', priority => 1 | pattern 'a.*b' looks like a regular expression",
                "'a.+b', priority => 1 | pattern 'a.+b' looks like a regular expression",
                "'a¦b', priority => 1 | pattern 'a¦b' looks like a regular expression",
                "'a', NULL | the policy for 'a' says nothing",
                "'a' | the policy for 'a' says nothing",
                "'a', debounce => '-1s' | debounce is -00:00:01: it is 0 to one day",
                "'a', debounce => '25h' | debounce is 25:00:00: it is 0 to one day",
                "'a', priority => 10 | priority is 10: it is 0 to 9",
                "'a', priority => -1 | priority is -1: it is 0 to 9",
                "'a', profile => '' | profile has 1 to 1024 characters",
                "'a', profile => '{\"expire\":' | begins like a JSON object and is none",
                "'a', profile => ' {max}' | begins like a JSON object and is none"
            })
    void a_malformed_policy_is_refused_by_name_with_what_to_write(String written, String said) {
        String arguments = written.replace('¦', '|');
        String message = said.replace('¦', '|');
        SQLException refused = assertThrows(
                SQLException.class, () -> database.run("SELECT cache_invalidation_policy(" + arguments + ")"));
        assertTrue(refused.getMessage().contains(message), refused.getMessage());
        assertTrue(refused.getMessage().contains("Hint"), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"q(1)", "a[0]", "{id}", "c++", "who?", "a^b", "$x", "(", "*[", "q(*)", "f?*+{2}"})
    void a_tag_or_glob_may_hold_any_character(String pattern) throws Exception {
        database.run("SELECT cache_invalidation_policy('" + pattern + "', priority => 8)");
        String tag = pattern.replace("*", "x");
        assertEquals(8, read().of(tag).priority(), tag);
        assertEquals(Policy.NONE, read().of(tag + "1"));
        assertEquals(List.of(pattern), database.list("SELECT pattern FROM freshet.policy_of('" + tag + "')"));
    }

    @Test
    void the_longest_literal_text_wins_and_the_exact_tag_wins_over_all() throws Exception {
        for (String pattern : List.of("*", "a*", "a:*:c", "*:b:c", "a:b:*", "a:b:c")) {
            database.run("SELECT cache_invalidation_policy('" + pattern + "', profile => '" + pattern + "')");
        }
        Policies policies = read();
        assertEquals("a:b:c", policies.of("a:b:c").profile());
        assertEquals("*:b:c", policies.of("x:b:c").profile());
        assertEquals("a:*:c", policies.of("a:x:c").profile());
        assertEquals("a:b:*", policies.of("a:b:x").profile());
        assertEquals("a*", policies.of("abc").profile());
        assertEquals("*", policies.of("x").profile());
    }

    @Test
    void a_tag_falls_under_the_same_policy_in_sql_and_in_java() throws Exception {
        Random random = new Random(7);
        for (int i = 0; i < 60; i++) {
            database.run("SELECT cache_invalidation_policy('"
                    + text(random, "ab_%:([{?+*").replace("'", "''") + "', priority => 3)");
        }
        Policies policies = read();
        for (int i = 0; i < 300; i++) {
            String tag = text(random, "ab_%:([{?+\\\n");
            List<String> sql = database.list("SELECT pattern FROM freshet.policy_of(E'"
                    + tag.replace("\\", "\\\\").replace("\n", "\\n") + "')");
            assertEquals(
                    sql,
                    List.of(policies.of(tag).pattern()).stream()
                            .filter(p -> !p.isEmpty())
                            .toList(),
                    tag);
        }
    }

    @Test
    void a_new_policy_is_known_at_the_next_call() throws Exception {
        Policies policies = read();
        assertEquals(Policy.NONE, policies.of("a"));
        database.run("SELECT cache_invalidation_policy('a', priority => 9)");
        policies.areInForce(inForce(), System.nanoTime());
        assertEquals(9, policies.of("a").priority());
        database.run("SELECT cache_invalidation_policy_drop('a')");
        policies.areInForce(inForce(), System.nanoTime());
        assertEquals(Policy.NONE, policies.of("a"));
    }

    private static long inForce() throws SQLException {
        return Long.parseLong(database.one("SELECT version FROM freshet.policies"));
    }

    private static Policies read() throws Exception {
        Policies policies = new Policies(new Transactions(database.pool(1)));
        policies.keepCurrent();
        return policies;
    }

    private static String text(Random random, String characters) {
        return IntStream.range(0, 1 + random.nextInt(6))
                .mapToObj(i -> String.valueOf(characters.charAt(random.nextInt(characters.length()))))
                .collect(Collectors.joining());
    }

    private static List<String> listed() throws SQLException {
        return database.list("SELECT concat_ws(' ', pattern, coalesce(debounce::text, '-'), at_once::text::\"char\","
                + " coalesce(profile, '-'), priority) FROM cache_invalidation_policies");
    }
}
