-- SELECT cache_invalidation_policy_drop('search:*'): its tags are as the settings say again. False: there was none.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_policy_drop'); END $$;

CREATE OR REPLACE FUNCTION public.cache_invalidation_policy_drop(pattern text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM freshet.policy p WHERE p.pattern = cache_invalidation_policy_drop.pattern;
    RETURN FOUND;
END $$;

DO $$ BEGIN PERFORM freshet.settle_in('public.cache_invalidation_policy_drop(text)', 'pg_proc',
    'ends cache_invalidation_policy for a pattern', '{service_role}'); END $$;
