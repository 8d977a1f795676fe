-- Which time zone a moment without one is in, and how Freshet learns the server's.

-- The time zone in which a timestamp without a time zone is read: the database's, or else the server's; never the
-- session's.
CREATE OR REPLACE FUNCTION freshet.time_zone() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(
    (SELECT substr(said, length('timezone=') + 1)
     FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) said
     WHERE d.datname = current_database() AND s.setrole = 0 AND lower(said) LIKE 'timezone=%'),
    (SELECT name FROM freshet.server_time_zone),
    current_setting('log_timezone'))
$$;

-- A session can read the server's time zone only if neither its client, its role nor its database has set another one
-- (a JDBC driver always sets one). A session that can read it records it here for all. SET LOCAL … TO DEFAULT shows
-- where the default comes from; the function's own SET restores the former value.
CREATE OR REPLACE FUNCTION freshet.learn_time_zone() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
AS $$
BEGIN
    SET LOCAL TimeZone TO DEFAULT;
    INSERT INTO freshet.server_time_zone AS known (name)
    SELECT s.setting FROM pg_settings s
    WHERE s.name = 'TimeZone' AND s.source NOT IN ('client', 'user', 'database', 'database user', 'session', 'override')
      AND NOT EXISTS (SELECT FROM freshet.server_time_zone z WHERE z.name = s.setting)
    ON CONFLICT (only_one) DO UPDATE SET name = excluded.name, learned_at = now();
END $$;

REVOKE ALL ON FUNCTION freshet.learn_time_zone() FROM PUBLIC;
