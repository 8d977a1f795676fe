SELECT to_regclass('public.cache_entries') IS NOT NULL AS there
