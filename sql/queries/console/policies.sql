-- For the console: the policies of tags, in the order in which they are applied.
SELECT pattern, debounce::text AS debounce, at_once, profile, priority, made_at FROM public.cache_invalidation_policies
LIMIT 100
