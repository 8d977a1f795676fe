package dev.freshet.deliver.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.freshet.database.DatabaseUrl;
import dev.freshet.settings.CannotStart;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplicaAddressesTest {
    @Test
    void addresses_are_separated_by_commas_and_each_host_is_a_replica() {
        assertEquals(
                List.of("a:5432/d", "b:6432/d", "c:5433/e", "f:5432/d"),
                names("postgres://u:p@a/d, postgresql://b:6432/d?sslmode=require,"
                        + "jdbc:postgresql://c:5433/e?user=u,postgres://u@f/d,"));
        assertEquals(List.of("a:1/d", "b:2/d"), names("postgres://u:p,q@a:1,b:2/d?target_session_attrs=read-only"));
        assertEquals(List.of("a:1/d"), names("postgres://a:1/d,postgres://a:1/d"));
    }

    @Test
    void a_bad_address_is_named_without_its_password() {
        assertEquals(
                "FRESHET_REPLICAS: not a database's address; write postgres://user:password@host:5432/database",
                refusal("mysql://u:geheim@h/d"));
        assertEquals(
                "FRESHET_REPLICAS (address 2 of 2): its port is not a number from 1 to 65535; write"
                        + " postgres://user:password@host:5432/database",
                refusal("postgres://h/d,postgres://u:geheim@h:0/d"));
        assertEquals(
                "FRESHET_REPLICAS: followed by a comma and no database's address; write"
                        + " postgres://user:password@host:5432/database for each, and a comma within one as %2C",
                refusal("postgres://u:geheim@h/d,nonsense"));
    }

    private static List<String> names(String text) {
        return ReplicaAddresses.parse(text).stream().map(ReplicaAddresses::name).toList();
    }

    private static String refusal(String text) {
        String message = assertThrows(CannotStart.class, () -> ReplicaAddresses.parse(text))
                .getMessage();
        assertFalse(message.contains("geheim"), message);
        return message;
    }

    @Test
    void the_other_parts_of_an_address_are_kept() {
        DatabaseUrl address = ReplicaAddresses.parse("postgres://u:p%40@a/d?sslmode=verify-full")
                .get(0);
        assertEquals("jdbc:postgresql://a:5432/d?sslmode=verify-full", address.jdbcUrl());
        assertEquals("p@", address.password());
    }
}
