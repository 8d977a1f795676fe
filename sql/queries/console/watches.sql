-- Dry run: everything that queues tags.
SELECT table_name, templates, due, problem FROM public.cache_invalidation_watches ORDER BY table_name
