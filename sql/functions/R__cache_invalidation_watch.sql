-- SELECT cache_invalidation_watch('courses', ARRAY['course:{id}']): from now on, changes of the table queue these tags.
-- With due => ARRAY['publish_at'], they are also queued when such a moment comes.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_watch'); END $$;

-- regclass accepts 'courses', 'shop."Order Lines"' and text expressions alike. RETURN binds the inner functions now:
-- see R__3_watch_install.
CREATE OR REPLACE FUNCTION public.cache_invalidation_watch(watched regclass, templates text[],
    columns text[] DEFAULT NULL,
                                                           due text[] DEFAULT NULL) RETURNS void
LANGUAGE sql VOLATILE
RETURN freshet.drop_unused_watches(watched,
    freshet.install_watch(watched, freshet.prepare_watch(freshet.must_own(watched), templates, columns, due)));

DO $$ BEGIN PERFORM freshet.settle_in('public.cache_invalidation_watch(regclass, text[], text[], text[])', 'pg_proc',
    'queues tags when a table changes; its owner may call this'); END $$;

-- Drops the former function without `due`, because with both, calls would be ambiguous. Whoever could call it may call
-- this one.
DO $$
DECLARE
    former CONSTANT regprocedure := to_regprocedure('public.cache_invalidation_watch(regclass, text[], text[])');
    may    text;
BEGIN
    IF NOT coalesce(freshet.is_ours(former, 'pg_proc'), false) THEN
        RETURN;
    END IF;
    FOR may IN
        SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM pg_proc p, aclexplode(p.proacl) a WHERE p.oid = former AND a.grantee <> p.proowner
    LOOP
        EXECUTE format(
            'GRANT EXECUTE ON FUNCTION public.cache_invalidation_watch(regclass, text[], text[], text[]) TO %s', may);
    END LOOP;
    BEGIN
        DROP FUNCTION public.cache_invalidation_watch(regclass, text[], text[]);
        DROP FUNCTION IF EXISTS freshet.prepare_watch(regclass, text[], text[]);
    EXCEPTION WHEN dependent_objects_still_exist THEN
        ALTER FUNCTION public.cache_invalidation_watch(regclass, text[],
            text[]) RENAME TO cache_invalidation_watch_without_due;
        RAISE NOTICE 'what was made with cache_invalidation_watch(regclass, text[], text[]) now calls %',
            'cache_invalidation_watch_without_due';
    END;
END $$;
