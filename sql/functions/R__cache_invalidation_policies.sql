-- The policies of tags, in the order in which they are tried: exact tags first, then globs by the length of their
-- literal text.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_policies'); END $$;

CREATE OR REPLACE VIEW public.cache_invalidation_policies AS
SELECT pattern, debounce, coalesce(at_once, false) AS at_once, profile,
       coalesce(priority, 5::smallint)::integer AS priority, made_at
FROM freshet.policy
ORDER BY is_glob, literal DESC, pattern COLLATE "C";

DO $$ BEGIN PERFORM freshet.settle_in('public.cache_invalidation_policies', 'pg_class',
    'the policies of tags; debounce is null if the setting applies', '{service_role}'); END $$;
