-- The console: the policies of tags, in the order in which they are asked.
SELECT pattern, debounce::text AS debounce, at_once, profile, priority, made_at FROM public.cache_invalidation_policies
LIMIT 100
