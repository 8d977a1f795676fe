-- What clients read as a watermark: when was a tag last invalidated, and how often did it change?
DO $$
BEGIN
    PERFORM freshet.step_aside('cache_invalidation_latest',
        '{tag,last_invalidated_at,total_invalidations,latest_created_at}');
END $$;

DO $do$
BEGIN
    -- A view of the replaced worker with the same columns may stay, because users may have views of their own on top of
    -- it.
    IF to_regclass('public.cache_invalidation_latest') IS NULL
            OR freshet.is_ours(to_regclass('public.cache_invalidation_latest'), 'pg_class') THEN
        CREATE OR REPLACE VIEW public.cache_invalidation_latest AS
        SELECT tag, max(last_invalidated_at) AS last_invalidated_at, sum(invalidation_count) AS total_invalidations,
               max(created_at) AS latest_created_at
        FROM public.cache_invalidation_queue
        GROUP BY tag;
        PERFORM freshet.settle_in('public.cache_invalidation_latest', 'pg_class',
            'when each tag was last invalidated, and how often it changed', '{service_role}');
    END IF;
END $do$;
