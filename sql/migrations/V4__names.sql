-- How names in public become Freshet's. These functions are here and not in sql/functions, because the following
-- migrations call them for the tables that they create.

-- Whether an object is Freshet's: its comment starts with 'Freshet'.
CREATE FUNCTION freshet.is_ours(object oid, catalog regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(obj_description(object, (SELECT relname FROM pg_class WHERE oid = catalog)) LIKE 'Freshet%', false)
$$;

-- Renames whatever has one of Freshet's names in public: a function of that name with any arguments (a second one would
-- make calls ambiguous), or a relation, unless it is a view with exactly the columns in `keep`.
CREATE FUNCTION freshet.step_aside(wanted name, keep text[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    other record;
    aside text;
BEGIN
    FOR other IN
        SELECT 'function' AS kind, 'ROUTINE' AS word, p.oid::regprocedure::text AS shown,
               format('public.%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)) AS named
        FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname = wanted AND NOT freshet.is_ours(p.oid, 'pg_proc')
        UNION ALL
        SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END,
               CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
               c.oid::regclass::text, format('public.%I', c.relname)
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relname = wanted AND c.relkind IN ('v', 'm', 'r', 'p', 'f')
          AND NOT freshet.is_ours(c.oid, 'pg_class') AND NOT freshet.is_view_with(c.oid, keep)
    LOOP
        SELECT candidate INTO STRICT aside
        FROM (SELECT n, left(wanted, 40) || '_before_freshet' || CASE WHEN n = 1 THEN '' ELSE '_' || n END AS candidate
              FROM generate_series(1, 1000) n) names
        WHERE NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = candidate)
          AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = candidate)
        ORDER BY n LIMIT 1;
        EXECUTE format('ALTER %s %s RENAME TO %I', other.word, other.named, aside);
        RAISE NOTICE 'Freshet needs the name %: the % that had it is now called %', other.shown, other.kind, aside;
    END LOOP;
END $$;

CREATE FUNCTION freshet.is_view_with(relation oid, wanted_columns text[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT relkind = 'v' AND wanted_columns IS NOT DISTINCT FROM (
    SELECT array_agg(attname::text ORDER BY attnum)
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped)
FROM pg_class WHERE oid = relation
$$;

-- A new object in public starts with its owner's rights and those of the roles given here, whatever the database's
-- default privileges are (Supabase: everything to anon). This happens only when it is new, so what operators grant
-- later survives every re-application.
CREATE FUNCTION freshet.settle_in(object text, catalog regclass, about text, readers name[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    is_function CONSTANT boolean := catalog = 'pg_proc'::regclass;
    id          CONSTANT oid := CASE WHEN is_function THEN object::regprocedure::oid ELSE object::regclass::oid END;
    word        CONSTANT text := CASE WHEN is_function THEN 'FUNCTION'
                                      WHEN (SELECT relkind FROM pg_class WHERE oid = id) = 'v' THEN 'VIEW'
                                      ELSE 'TABLE' END;
    grantee     text;
    sequence    regclass;
BEGIN
    IF freshet.is_ours(id, catalog) THEN
        RETURN;
    END IF;
    FOR grantee IN
        SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM (SELECT coalesce(proacl, acldefault('f', proowner)) AS acl, proowner AS owner
              FROM pg_proc WHERE is_function AND oid = id
              UNION ALL
              SELECT coalesce(relacl, acldefault('r', relowner)), relowner
              FROM pg_class WHERE NOT is_function AND oid = id) o,
             aclexplode(o.acl) a
        WHERE a.grantee <> o.owner
        GROUP BY a.grantee
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s',
            CASE WHEN is_function THEN 'FUNCTION' ELSE 'TABLE' END, object, grantee);
    END LOOP;
    FOR sequence, grantee IN
        SELECT c.oid, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S', aclexplode(c.relacl) a
        WHERE NOT is_function AND d.refclassid = 'pg_class'::regclass AND d.refobjid = id AND a.grantee <> c.relowner
        GROUP BY c.oid, a.grantee
    LOOP
        EXECUTE format('REVOKE ALL ON SEQUENCE %s FROM %s', sequence, grantee);
    END LOOP;
    FOR grantee IN SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = ANY (readers) LOOP
        EXECUTE format('GRANT %s %s TO %s',
            CASE WHEN is_function THEN 'EXECUTE ON FUNCTION' ELSE 'SELECT ON' END, object, grantee);
    END LOOP;
    EXECUTE format('COMMENT ON %s %s IS %L', word, object, 'Freshet: ' || about);
END $$;

REVOKE ALL ON FUNCTION freshet.is_ours(oid, regclass), freshet.step_aside(name, text[]),
    freshet.is_view_with(oid, text[]), freshet.settle_in(text, regclass, text, name[]) FROM PUBLIC;

-- A queue that V1 created (not one that it found and adopted, whose oid is older than the inbox's) starts closed as
-- well.
DO $$
BEGIN
    IF 'public.cache_invalidation_queue'::regclass::oid > 'freshet.inbox'::regclass::oid THEN
        PERFORM freshet.settle_in('public.cache_invalidation_queue', 'pg_class',
            'the queue of tags, one row per tag and five seconds');
    END IF;
END $$;
