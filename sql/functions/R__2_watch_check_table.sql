-- Which tables prepare_watch refuses to watch.

-- Refuses what is no table, what has no triggers or must have none, and what hides changes.
CREATE OR REPLACE FUNCTION freshet.must_be_watchable(wanted regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c         pg_class;
    namespace name;
BEGIN
    SELECT * INTO STRICT c FROM pg_class WHERE oid = wanted;
    SELECT nspname INTO namespace FROM pg_namespace WHERE oid = c.relnamespace;
    IF c.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is no table but a %', wanted, CASE c.relkind WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
            WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'relation of another kind' END
            USING ERRCODE = 'wrong_object_type', HINT = 'Watch the tables that it is made from.';
    ELSIF c.relpersistence = 't' THEN
        RAISE EXCEPTION '% is a temporary table: nobody else can see its changes', wanted
            USING ERRCODE = 'wrong_object_type';
    ELSIF namespace IN ('pg_catalog', 'information_schema', 'pg_toast') THEN
        RAISE EXCEPTION '% belongs to PostgreSQL and has no triggers', wanted USING ERRCODE = 'wrong_object_type';
    ELSIF namespace = 'freshet' OR namespace = 'public'
        AND c.relname IN ('cache_invalidation_queue', 'invalidation_audit') THEN
        RAISE EXCEPTION '% is a table of Freshet''s own: watching it would never end', wanted
            USING ERRCODE = 'wrong_object_type';
    ELSIF EXISTS (SELECT FROM freshet.members(wanted) m JOIN pg_class f ON f.oid = m.member WHERE f.relkind = 'f') THEN
        RAISE EXCEPTION '% has a foreign table as a partition, whose changes no trigger sees', wanted
            USING ERRCODE = 'wrong_object_type',
            HINT = 'Watch the other partitions one by one.';
    END IF;
END $$;

-- Refuses row-level security that applies to Freshet.
CREATE OR REPLACE FUNCTION freshet.must_see_all_rows(wanted regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (SELECT bool_or(row_security_active(member)) FROM freshet.members(wanted)) THEN
        RAISE EXCEPTION 'row-level security of % would hide rows from Freshet, whose role is %:'
            ' TRUNCATE could not name them',
            wanted, current_user
            USING ERRCODE = 'insufficient_privilege',
                HINT = format('ALTER ROLE %I BYPASSRLS, or let %1$I own the table.', current_user);
    END IF;
END $$;

REVOKE ALL ON FUNCTION freshet.must_be_watchable(regclass), freshet.must_see_all_rows(regclass) FROM PUBLIC;
