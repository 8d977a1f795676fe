package dev.freshet.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.freshet.database.Transactions;
import dev.freshet.testing.Eventually;
import dev.freshet.testing.TestDatabase;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How addresses come and go, with a real database and a DNS that the test controls. */
class CopiesTest {
    private static final String ONE = "tag@app=10.0.0.1:3000";
    private static final String TWO = "tag@app=10.0.0.2:3000";
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final List<HostNames> opened = new ArrayList<>();
    private TestDatabase database;

    /** The part of Freshet that knows addresses, and what its DNS answers. */
    private final class Instance {
        private final Map<String, List<String>> dns = new ConcurrentHashMap<>();
        private final Transactions transactions = new Transactions(database.pool(2));
        private final Lanes lanes = new Lanes(
                transactions,
                new Lanes.Terms(
                        Duration.ofSeconds(30), Duration.ofSeconds(5), Duration.ofSeconds(1), Duration.ofSeconds(10)));
        private final Copies copies;
        private final LeavingCopies leaving = new LeavingCopies(transactions);

        Instance(String... ips) {
            dns.put("app", List.of(ips));
            HostNames names = new HostNames(this::resolve, Duration.ofMillis(10));
            opened.add(names);
            copies = new Copies(names, transactions, lanes);
        }

        private InetAddress[] resolve(String host) throws UnknownHostException {
            List<String> ips = dns.get(host);
            if (ips.isEmpty()) {
                throw new UnknownHostException("SERVFAIL");
            }
            InetAddress[] addresses = new InetAddress[ips.size()];
            for (int i = 0; i < addresses.length; i++) {
                addresses[i] = InetAddress.getByName(ips.get(i));
            }
            return addresses;
        }

        List<String> serves(String address) throws Exception {
            return copies.serve(target(address)).serves();
        }

        boolean forget(String address) throws Exception {
            return leaving.forget(List.of(copies.serve(target(address))));
        }

        void awaitServes(String address, String... names) {
            until(() -> serves(address).equals(List.of(names)));
        }
    }

    private static Target target(String address) {
        Target target = new Target();
        target.setName("tag");
        target.setFanout("dns");
        target.setAddress(address);
        return target;
    }

    @BeforeEach
    void open() throws Exception {
        database = TestDatabase.migrated();
    }

    @AfterEach
    void close() throws Exception {
        opened.forEach(HostNames::close);
        database.close();
    }

    @Test
    void an_address_that_dns_has_not_named_for_a_minute_is_forgotten_with_what_it_was_owed() throws Exception {
        Instance freshet = new Instance("10.0.0.1", "10.0.0.2");
        freshet.awaitServes("http://app:3000", ONE, TWO);
        owe(ONE, 1, 3);
        owe(TWO, 1, 3);
        letter(ONE, "t9");
        freshet.dns.put("app", List.of("10.0.0.2"));
        until(() -> isMissing(freshet, ONE));
        assertFalse(freshet.forget("http://app:3000"));
        assertEquals(List.of(ONE, TWO), freshet.serves("http://app:3000"), "called as long as it is known");
        aMinuteLater("missing_since", ONE);
        until(() -> !freshet.forget("http://app:3000")
                && freshet.serves("http://app:3000").equals(List.of(TWO)));
        assertEquals(List.of(TWO + " 3"), owed());
        assertEquals(List.of(), database.list("SELECT tag FROM freshet.dead_letter"));
        assertEquals(
                List.of("delivery dropped [\"t1\", \"t2\", \"t3\"]", "target forgotten []"),
                database.list(
                        "SELECT kind || ' ' || outcome || ' ' || keys::text FROM invalidation_audit WHERE target = ?"
                                + " AND detail = 'its address has been gone from DNS for a minute' ORDER BY kind",
                        ONE));
        assertEquals("3", database.one("SELECT count(*) FROM freshet.mark_later"));
    }

    @Test
    void an_address_is_not_forgotten_while_it_is_being_called() throws Exception {
        Instance freshet = new Instance("10.0.0.1", "10.0.0.2");
        freshet.awaitServes("http://app:3000", ONE, TWO);
        owe(ONE, 1, 2);
        database.run("UPDATE freshet.delivery SET lease_id = gen_random_uuid(), claimed_handover = 1,"
                + " due_at = now() + interval '1 hour' WHERE tag = 't1'");
        freshet.dns.put("app", List.of("10.0.0.2"));
        until(() -> isMissing(freshet, ONE));
        aMinuteLater("missing_since", ONE);
        until(() -> !freshet.forget("http://app:3000") && owed().equals(List.of(ONE + " 1")));
        assertEquals(List.of(ONE, TWO), freshet.serves("http://app:3000"));
        database.run("UPDATE freshet.delivery SET due_at = now() - interval '1 second'");
        until(() -> !freshet.forget("http://app:3000")
                && freshet.serves("http://app:3000").equals(List.of(TWO)));
    }

    @Test
    void an_address_that_another_instance_still_sees_is_not_forgotten() throws Exception {
        Instance sees = new Instance("10.0.0.1", "10.0.0.2");
        Instance misses = new Instance("10.0.0.2");
        sees.awaitServes("http://app:3000", ONE, TWO);
        until(() -> isMissing(misses, ONE));
        aMinuteLater("missing_since", ONE);
        until(() -> sees.serves("http://app:3000").contains(ONE) && !isMissing(ONE));
        until(() -> isMissing(misses, ONE));
        misses.forget("http://app:3000");
        assertEquals(List.of(ONE, TWO), sees.serves("http://app:3000"));
    }

    @Test
    void a_dns_that_does_not_answer_removes_no_address() throws Exception {
        Instance sees = new Instance("10.0.0.1", "10.0.0.2");
        sees.awaitServes("http://app:3000", ONE, TWO);
        Instance blind = new Instance();
        assertEquals(List.of(ONE, TWO), blind.serves("http://app:3000"), "what the database knows");
        sees.dns.put("app", List.of());
        aMinuteLater("served_at", ONE);
        for (Instance each : List.of(blind, sees)) {
            each.forget("http://app:3000");
            assertEquals(List.of(ONE, TWO), each.serves("http://app:3000"));
        }
        assertFalse(isMissing(ONE));
    }

    @Test
    void what_an_unresolved_name_is_owed_becomes_owed_to_its_first_addresses() throws Exception {
        Instance freshet = new Instance();
        assertEquals(List.of("tag@app:3000"), freshet.serves("http://app:3000"));
        assertEquals(List.of(), freshet.lanes.withRoom(), "nobody calls it");
        owe("tag@app:3000", 1, 2);
        freshet.dns.put("app", List.of("10.0.0.1", "10.0.0.2"));
        freshet.awaitServes("http://app:3000", ONE, TWO);
        until(() -> !freshet.forget("http://app:3000"));
        assertEquals(List.of(ONE + " 2", TWO + " 2"), owed());
        assertEquals(List.of(ONE, TWO), database.list("SELECT name FROM freshet.target ORDER BY name"));
    }

    @Test
    void nothing_is_lost_when_one_address_becomes_a_list_or_a_list_one_address() throws Exception {
        Instance freshet = new Instance();
        database.run("INSERT INTO freshet.target (name, served_at) VALUES ('tag', now() - interval '15 seconds')");
        owe("tag", 1, 2);
        letter("tag", "t9");
        String list = "http://10.0.0.1:3000,http://10.0.0.2:3000/x";
        assertFalse(freshet.forget(list), "somebody may serve it still");
        aMinuteLater("served_at", "tag");
        until(() -> !freshet.forget(list));
        assertEquals(List.of("tag@10.0.0.1:3000 2", "tag@10.0.0.2:3000/x 2"), owed());
        assertEquals(
                List.of("tag@10.0.0.1:3000", "tag@10.0.0.2:3000/x"),
                database.list("SELECT target FROM freshet.dead_letter ORDER BY target"));

        owe("tag@10.0.0.1:3000", 3, 4);
        database.run("INSERT INTO freshet.target (name) VALUES ('tag')");
        owe("tag", 4, 5);
        aMinuteLater("served_at", "tag@10.0.0.1:3000");
        aMinuteLater("served_at", "tag@10.0.0.2:3000/x");
        Copies.Family alone = new Copies.Family("tag", List.of("tag"), List.of());
        until(() -> !freshet.leaving.forget(List.of(alone)));
        assertEquals(List.of("tag 5"), owed());
        assertEquals(List.of("tag t9"), database.list("SELECT target || ' ' || tag FROM freshet.dead_letter"));
        assertEquals(List.of("tag"), database.list("SELECT name FROM freshet.target"));
        assertEquals(
                "2 true",
                database.one("SELECT max(handover) || ' ' || bool_and(settled_handover < handover)"
                        + " FROM freshet.delivery"),
                "owed anew where it was owed already");
    }

    @Test
    void what_an_address_removed_from_a_list_was_owed_is_owed_to_the_others() throws Exception {
        Instance freshet = new Instance();
        freshet.serves("http://10.0.0.1:1,http://10.0.0.2:2,http://10.0.0.3:3");
        owe("tag@10.0.0.1:1", 1, 2);
        aMinuteLater("served_at", "tag@10.0.0.1:1");
        until(() -> !freshet.forget("http://10.0.0.2:2,http://10.0.0.3:3"));
        assertEquals(List.of("tag@10.0.0.2:2 2", "tag@10.0.0.3:3 2"), owed());
    }

    private void owe(String target, int from, int to) throws Exception {
        database.run("INSERT INTO freshet.delivery (tag, target, handover, changed_at) SELECT 't' || i, '" + target
                + "', 1, now() FROM generate_series(" + from + ", " + to + ") i");
    }

    private void letter(String target, String tag) throws Exception {
        database.run("INSERT INTO freshet.dead_letter (target, tag, attempts, first_failed_at, last_failed_at)"
                + " VALUES ('" + target + "', '" + tag + "', 5, now(), now())");
    }

    private List<String> owed() throws Exception {
        return database.list("SELECT target || ' ' || count(*) FROM freshet.delivery GROUP BY target ORDER BY target");
    }

    private void aMinuteLater(String column, String name) throws Exception {
        database.run("UPDATE freshet.target SET " + column + " = " + column + " - interval '61 seconds' WHERE name = '"
                + name + "'");
    }

    private boolean isMissing(Instance freshet, String name) throws Exception {
        freshet.serves("http://app:3000");
        return isMissing(name);
    }

    private boolean isMissing(String name) throws Exception {
        return database.one("SELECT missing_since IS NOT NULL FROM freshet.target WHERE name = ?", name)
                .equals("t");
    }

    private static void until(Callable<Boolean> condition) {
        Eventually.is(
                PATIENCE,
                () -> {
                    try {
                        return condition.call();
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                },
                () -> "addresses as expected");
    }
}
