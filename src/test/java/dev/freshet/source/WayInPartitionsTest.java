package dev.freshet.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Partitions and inheritance: whichever table a statement names, and whenever the partition was added. */
class WayInPartitionsTest extends WayIn {

    /**
     * For statements whose tags may be queued more than once: on a partition that has no statement triggers yet, or
     * TRUNCATE of a tree.
     */
    void queuesAtLeast(String sql, String... tags) throws Exception {
        run(sql);
        assertEquals(new TreeSet<>(List.of(tags)), new TreeSet<>(queued()), sql);
    }

    @Test
    void every_partition_is_seen_whichever_table_a_statement_names() throws Exception {
        run("CREATE TABLE log (id int, d int, v int, PRIMARY KEY (id, d)) PARTITION BY LIST (d);CREATE TABLE log_1"
                + " PARTITION OF log FOR VALUES IN (1);"
                + " CREATE TABLE log_2 PARTITION OF log FOR VALUES IN (2, 3) PARTITION"
                + " BY LIST (d);CREATE TABLE log_2a PARTITION OF log_2 FOR VALUES IN (2)");
        watch("log", "log:{id}", "log");
        queues("INSERT INTO log VALUES (1, 1), (2, 2), (3, 1)", "log", "log:1", "log:2", "log:3");
        queues("INSERT INTO log_1 VALUES (4, 1), (5, 1)", "log", "log:4", "log:5");
        queues("INSERT INTO log_2 VALUES (6, 2)", "log", "log:6");
        queues("INSERT INTO log_2a VALUES (7, 2)", "log", "log:7");
        queues("UPDATE log SET v = 1 WHERE id IN (1, 2)", "log", "log:1", "log:2");
        queues("UPDATE log SET v = v");
        queues("UPDATE log_1 SET v = v");
        queues("UPDATE log SET d = 2 WHERE id = 1", "log", "log:1");
        queues("UPDATE log_2a SET v = 2 WHERE id = 1", "log", "log:1");
        queues("DELETE FROM log_1 WHERE id = 3", "log", "log:3");
        queuesAtLeast("TRUNCATE log_1", "log", "log:4", "log:5");
        queuesAtLeast("TRUNCATE log", "log", "log:1", "log:2", "log:6", "log:7");
        run("SELECT cache_invalidation_unwatch('log')");
        queues("INSERT INTO log VALUES (1, 1)");
        assertEquals(
                "0",
                one("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'freshet%' AND tgrelid::regclass::text LIKE"
                        + " 'log%'"));
    }

    @Test
    void a_partition_added_later_is_seen_at_once() throws Exception {
        run("CREATE TABLE later (id int, d int, v json) PARTITION BY LIST (d); CREATE TABLE later_1 PARTITION OF"
                + " later FOR VALUES IN (1)");
        watch("later", "later:{id}");
        run("CREATE TABLE later_2 PARTITION OF later FOR VALUES IN (2); CREATE TABLE later_3 (v json, gone int, d"
                + " int, id int); ALTER TABLE later_3 DROP COLUMN gone;ALTER TABLE later ATTACH PARTITION later_3"
                + " FOR VALUES IN (3)");
        queuesAtLeast("INSERT INTO later VALUES (1, 1), (2, 2), (3, 3)", "later:1", "later:2", "later:3");
        queuesAtLeast("INSERT INTO later_2 VALUES (4, 2)", "later:4");
        queuesAtLeast("INSERT INTO later_3 (id, d) VALUES (5, 3)", "later:5");
        queuesAtLeast("UPDATE later_3 SET v = v");
        queuesAtLeast("UPDATE later SET d = d + 1 WHERE d < 3", "later:1", "later:2", "later:4");
        queuesAtLeast("DELETE FROM later_3 WHERE id = 5", "later:5");
        assertTrue(database.list("SELECT problem FROM freshet.tend_watches() WHERE watched::text LIKE 'later%'")
                .get(0)
                .contains("owner"));
        watch("later", "later:{id}");
        assertEquals(
                List.of(),
                database.list("SELECT problem FROM freshet.tend_watches() WHERE watched::text LIKE 'later%'"));
        queues("INSERT INTO later_2 VALUES (7, 2), (7, 2)", "later:7");
        queues("INSERT INTO later VALUES (8, 2), (8, 3)", "later:8");
        queuesAtLeast("TRUNCATE later_2", "later:1", "later:7", "later:8");
    }

    @Test
    void the_worker_gives_new_partitions_of_its_own_tables_their_triggers() throws Exception {
        database.run(
                "CREATE TABLE owned (id int, d int) PARTITION BY LIST (d); SELECT cache_invalidation_watch('owned',"
                        + " ARRAY['owned:{id}']);CREATE TABLE owned_1 PARTITION OF owned FOR VALUES IN (1); INSERT INTO"
                        + " owned VALUES (1, 1)");
        assertEquals(List.of("owned:1", "owned:1"), queued(), "by statement and by row");
        assertEquals(
                List.of(),
                database.list(
                        "SELECT watched || problem FROM freshet.tend_watches() WHERE watched::text LIKE 'owned%'"));
        database.run("INSERT INTO owned VALUES (2, 1), (2, 1)");
        assertEquals(List.of("owned:2"), queued());
        database.run("TRUNCATE owned_1");
        assertEquals(List.of("owned:1", "owned:2"), queued());
    }

    @Test
    void a_partition_can_be_watched_alone_or_in_addition_to_its_parent() throws Exception {
        run("CREATE TABLE both_ways (id int, d int) PARTITION BY LIST (d); CREATE TABLE both_1 PARTITION OF"
                + " both_ways FOR VALUES IN (1);CREATE TABLE both_2 PARTITION OF both_ways FOR VALUES IN (2)");
        watch("both_1", "one:{id}");
        queues("INSERT INTO both_ways VALUES (1, 1), (2, 2)", "one:1");
        queues("INSERT INTO both_1 VALUES (3, 1)", "one:3");
        queues("UPDATE both_ways SET d = 3 - d WHERE id IN (1, 2)", "one:1", "one:2");
        watch("both_ways", "all:{id}");
        queues("INSERT INTO both_ways VALUES (4, 1)", "all:4", "one:4");
        queues("INSERT INTO both_1 VALUES (5, 1)", "all:5", "one:5");
        run("SELECT cache_invalidation_unwatch('both_1')");
        queues("INSERT INTO both_1 VALUES (6, 1)", "all:6");
    }

    @Test
    void a_watched_table_that_becomes_a_partition_loses_nothing_and_says_so() throws Exception {
        run("CREATE TABLE grown (id int, d int) PARTITION BY LIST (d); CREATE TABLE grown_1 (id int, d int)");
        watch("grown_1", "g1:{id}");
        queues("INSERT INTO grown_1 VALUES (1, 1), (1, 1)", "g1:1");
        assertEquals(null, problemOf("grown_1"));
        run("ALTER TABLE grown ATTACH PARTITION grown_1 FOR VALUES IN (1)");
        queuesAtLeast("INSERT INTO grown VALUES (2, 1)", "g1:2");
        queuesAtLeast("UPDATE grown SET id = 3 WHERE id = 2", "g1:2", "g1:3");
        queuesAtLeast("DELETE FROM grown WHERE id = 3", "g1:3");
        queuesAtLeast("UPDATE grown_1 SET id = 4", "g1:1", "g1:4");
        queuesAtLeast("TRUNCATE grown", "g1:4");
        assertTrue(problemOf("grown_1").contains("again"), problemOf("grown_1"));
        assertTrue(database.list("SELECT problem FROM freshet.tend_watches() WHERE watched = 'grown_1'::regclass")
                .get(0)
                .contains("again"));
        watch("grown_1", "g1:{id}");
        assertEquals(null, problemOf("grown_1"));
        queues("INSERT INTO grown VALUES (5, 1)", "g1:5");
        queues("INSERT INTO grown_1 VALUES (6, 1)", "g1:6");
        run("ALTER TABLE grown DETACH PARTITION grown_1");
        queuesAtLeast("INSERT INTO grown_1 VALUES (7, 1)", "g1:7");
        assertTrue(problemOf("grown_1").contains("again"), problemOf("grown_1"));
        watch("grown_1", "g1:{id}");
        queues("INSERT INTO grown_1 VALUES (8, 1), (8, 1)", "g1:8");
        run("DROP TABLE grown");
    }

    @Test
    void partitions_that_lack_triggers_and_partitioned_tables_that_become_one_are_problems() throws Exception {
        run("CREATE TABLE whole (id int, d int) PARTITION BY LIST (d);"
                + "CREATE TABLE part (id int, d int) PARTITION BY LIST (d);"
                + "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)");
        watch("part", "part:{id}");
        assertEquals(null, problemOf("part"));
        run("CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2)");
        assertTrue(problemOf("part").contains("again"), problemOf("part"));
        watch("part", "part:{id}");
        assertEquals(null, problemOf("part"));
        run("ALTER TABLE whole ATTACH PARTITION part FOR VALUES IN (1, 2)");
        assertTrue(problemOf("part").contains("again"), problemOf("part"));
        watch("part", "part:{id}");
        assertEquals(null, problemOf("part"));
        queues("INSERT INTO whole VALUES (1, 1)", "part:1");
        run("DROP TABLE whole");
    }

    private String problemOf(String table) throws Exception {
        return one("SELECT problem FROM cache_invalidation_watches WHERE table_name = '" + table + "'");
    }

    @Test
    void an_inheritance_parent_sees_statements_that_name_it() throws Exception {
        run("CREATE TABLE ancestor (id int); CREATE TABLE heir (extra int) INHERITS (ancestor)");
        assertTrue(warnings(app, "SELECT cache_invalidation_watch('ancestor', ARRAY['a:{id}'])")
                .toString()
                .contains("inheritance"));
        run("INSERT INTO ancestor VALUES (1); INSERT INTO heir VALUES (2)");
        assertEquals(List.of("a:1"), queued());
        queues("UPDATE ancestor SET id = id + 10", "a:1", "a:2", "a:11", "a:12");
        queues("TRUNCATE ancestor", "a:11", "a:12");
    }
}
