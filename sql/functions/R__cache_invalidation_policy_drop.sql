-- SELECT cache_invalidation_policy_drop('search:*'): the settings apply to these tags again. False: there was no
-- policy.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_policy_drop'); END $$;

CREATE OR REPLACE FUNCTION public.cache_invalidation_policy_drop(pattern text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM freshet.policy p WHERE p.pattern = cache_invalidation_policy_drop.pattern;
    RETURN FOUND;
END $$;

DO $$ BEGIN PERFORM freshet.settle_in('public.cache_invalidation_policy_drop(text)', 'pg_proc',
    'removes the policy of a pattern', '{service_role}'); END $$;
