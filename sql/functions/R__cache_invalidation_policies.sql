-- The policies of tags, those that are asked first at the top: exact ones, then by the length of their literal text.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_policies'); END $$;

CREATE OR REPLACE VIEW public.cache_invalidation_policies AS
SELECT pattern, debounce, coalesce(at_once, false) AS at_once, profile,
       coalesce(priority, 5::smallint)::integer AS priority, made_at
FROM freshet.policy
ORDER BY is_glob, literal DESC, pattern COLLATE "C";

DO $$ BEGIN PERFORM freshet.settle_in('public.cache_invalidation_policies', 'pg_class',
    'what cache_invalidation_policy was told; debounce is null where the setting holds', '{service_role}'); END $$;
