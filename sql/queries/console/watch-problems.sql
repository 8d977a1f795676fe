-- For the console: watches that miss changes.
SELECT table_name, problem FROM public.cache_invalidation_watches WHERE problem IS NOT NULL ORDER BY table_name LIMIT 20
