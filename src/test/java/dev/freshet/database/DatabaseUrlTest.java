package dev.freshet.database;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseUrlTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "postgres://ann:pw@db.example:5433/shop | jdbc:postgresql://db.example:5433/shop | ann | pw",
                "postgresql://ann@db.example/shop | jdbc:postgresql://db.example:5432/shop | ann | -",
                "postgres://ann@db.example | jdbc:postgresql://db.example:5432/ann | ann | -",
                "postgres://ann@db.example:/shop | jdbc:postgresql://db.example:5432/shop | ann | -",
                "postgres://ann:p%40s%3As%2Fw%25@h/my%20shop | jdbc:postgresql://h:5432/my%20shop | ann | p@s:s/w%",
                "postgres://ann:p@ss+word@h/shop | jdbc:postgresql://h:5432/shop | ann | p@ss+word",
                "postgres://ann%40corp:@h/shop | jdbc:postgresql://h:5432/shop | ann@corp | ''",
                "postgres://ann@[::1]:5433/shop | jdbc:postgresql://[::1]:5433/shop | ann | -",
                "postgres://ann@[fe80::1%25eth0]/shop | jdbc:postgresql://[fe80::1%eth0]:5432/shop | ann | -",
                "postgres://ann:pw@a:1,b:2/shop?target_session_attrs=read-write |"
                        + " jdbc:postgresql://a:1,b:2/shop?targetServerType=primary | ann | pw",
                "postgres://ann:pw@h/shop?sslmode=require | jdbc:postgresql://h:5432/shop?sslmode=require | ann | pw",
                "postgres://ann:pw@h/shop?ssl=true | jdbc:postgresql://h:5432/shop?sslmode=require | ann | pw",
                "postgres://ann:pw@h/shop?sslmode=no-verify&schema=public |"
                        + " jdbc:postgresql://h:5432/shop?sslmode=require | ann | pw",
                "postgres:///shop?host=h&port=5433&user=ann&password=p%26w | jdbc:postgresql://h:5433/shop | ann | p&w",
                "jdbc:postgresql://h:5433/shop?user=ann&password=p%40w&ssl=true |"
                        + " jdbc:postgresql://h:5433/shop?ssl=true | ann | p@w"
            })
    void every_form_of_url_is_understood(String text, String jdbcUrl, String user, String password) {
        DatabaseUrl url = DatabaseUrl.parse(text);
        assertEquals(jdbcUrl, url.jdbcUrl());
        assertEquals(user, url.user());
        assertEquals(password, url.password());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mysql://secret@h/db",
                "h:5432/db",
                "postgres://ann:secret@h:54x/db",
                "postgres://ann:secret@h:70000/db",
                "postgres://ann:se%zzcret@h/db",
                "postgres://ann:secret@/db?host=/var/run/postgresql"
            })
    void any_other_text_is_refused_without_being_repeated(String text) {
        String message = assertThrows(IllegalArgumentException.class, () -> DatabaseUrl.parse(text))
                .getMessage();
        assertFalse(message.contains("secret"), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "postgres://u@aws-0-eu.pooler.supabase.com:6543/postgres | true",
                "postgres://u@aws-0-eu.pooler.supabase.com:5432/postgres | false",
                "postgres://u@ep-cool-pooler.eu.aws.neon.tech/db | true",
                "postgres://u@ep-cool.eu.aws.neon.tech/db | false",
                "postgres://u@bouncer:6432/db | true",
                "postgres://u@h/db?pgbouncer=true&connection_limit=1 | true",
                "postgres://u@h/db | false"
            })
    void a_transaction_pooler_is_recognized(String text, boolean pooled) {
        DatabaseUrl url = DatabaseUrl.parse(text);
        assertEquals(pooled, url.pooled());
        assertFalse(url.jdbcUrl().contains("pgbouncer") || url.jdbcUrl().contains("connection_limit"));
    }

    @Test
    void a_supabase_project_has_its_database_at_db_ref() {
        DatabaseUrl url = DatabaseUrl.ofSupabase("https://abcdef.supabase.co", "pw");
        assertEquals("jdbc:postgresql://db.abcdef.supabase.co:5432/postgres?sslmode=require", url.jdbcUrl());
        assertEquals("postgres", url.user());
        assertTrue(url.isSupabaseDirect());
        assertThrows(IllegalArgumentException.class, () -> DatabaseUrl.ofSupabase("https://example.org", "pw"));
    }

    @Test
    void the_displayed_address_contains_no_password() {
        assertEquals(
                "database \"shop\" at h:5432 as \"ann\"",
                DatabaseUrl.parse("postgres://ann:s3cret@h/shop").toString());
    }
}
