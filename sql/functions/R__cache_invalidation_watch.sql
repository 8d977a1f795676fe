-- SELECT cache_invalidation_watch('courses', ARRAY['course:{id}']): changes of the table queue these tags from now on.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_watch'); END $$;

-- regclass takes 'courses', 'shop."Order Lines"' and text expressions alike. RETURN binds the inner functions now: see R__2.
CREATE OR REPLACE FUNCTION public.cache_invalidation_watch(watched regclass, templates text[], columns text[] DEFAULT NULL) RETURNS void
LANGUAGE sql VOLATILE
RETURN freshet.drop_unused_watches(watched,
    freshet.install_watch(watched, freshet.prepare_watch(freshet.must_own(watched), templates, columns)));

DO $$ BEGIN PERFORM freshet.settle_in('public.cache_invalidation_watch(regclass, text[], text[])', 'pg_proc', 'queue tags when the table changes; its owner may call this'); END $$;
