-- SELECT cache_invalidation_unwatch('courses'): changes of the table no longer queue anything.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_unwatch'); END $$;

CREATE OR REPLACE FUNCTION public.cache_invalidation_unwatch(watched regclass) RETURNS void
LANGUAGE sql VOLATILE
RETURN freshet.drop_unused_watches(watched,
    freshet.remove_watch(watched, freshet.watch_numbers(freshet.must_own(watched))));

DO $$
BEGIN
    PERFORM freshet.settle_in('public.cache_invalidation_unwatch(regclass)', 'pg_proc',
        'stops watching a table; its owner may call this');
END $$;
