-- The table that somebody wants to watch: its owner, its partitions and its watches; and Freshet's own role.

CREATE OR REPLACE FUNCTION freshet.must_own(watched regclass) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid := (SELECT relowner FROM pg_class WHERE oid = watched);
BEGIN
    IF owner IS NULL THEN
        RAISE EXCEPTION 'there is no such table' USING ERRCODE = 'undefined_table',
            HINT = 'Write its name, with the schema where needed: ''shop."Order Lines"''.';
    ELSIF NOT pg_has_role(owner, 'USAGE') THEN
        RAISE EXCEPTION 'only the owner of % may have it watched', watched USING ERRCODE = 'insufficient_privilege',
            HINT = format('Ask %I to call this, or to GRANT %1$I TO %I.', pg_get_userbyid(owner), current_user);
    END IF;
    RETURN watched;
END $$;

-- The table itself and, if it is partitioned, all tables below it. (Inheritance children are separate tables.)
CREATE OR REPLACE FUNCTION freshet.members(watched regclass) RETURNS TABLE (member regclass, leaf boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT relid, isleaf FROM pg_partition_tree(watched)
UNION SELECT oid, true FROM pg_class WHERE oid = watched AND relkind = 'r' AND NOT relispartition
$$;

CREATE OR REPLACE FUNCTION freshet.role() RETURNS regrole
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'freshet' $$;

-- The watches of a table. Lets the table's present owner, who may not be the one who called cache_invalidation_watch,
-- change them. From here on nobody else changes them until the transaction ends.
CREATE OR REPLACE FUNCTION freshet.watch_numbers(of regclass) RETURNS integer[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    numbers integer[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('freshet.watch'), hashtext(of::oid::text));
    numbers := ARRAY(SELECT number FROM freshet.watch WHERE watched = of ORDER BY number);
    IF cardinality(numbers) > 0 THEN
        PERFORM freshet.let_in_owner(of);
    END IF;
    RETURN numbers;
END $$;

CREATE OR REPLACE FUNCTION freshet.let_in_owner(of regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT regrole := (SELECT relowner FROM pg_class WHERE oid = of);
BEGIN
    IF NOT has_schema_privilege(owner, 'freshet', 'USAGE') THEN
        PERFORM pg_advisory_xact_lock(hashtext('freshet.watch'), -1);   -- two simultaneous GRANTs on one schema fail
        EXECUTE format('GRANT USAGE ON SCHEMA freshet TO %s', owner);
    END IF;
END $$;

-- Nobody can call this without USAGE on the schema, which only owners of watched tables have. Owners may call the
-- functions that run with their own rights.
REVOKE ALL ON FUNCTION freshet.let_in_owner(regclass) FROM PUBLIC;
