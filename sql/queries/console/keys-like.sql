-- Dry run: keys of the registry, by what a regular expression says of them for certain.
SELECT cache_key FROM public.cache_entries
WHERE (expires_at IS NULL OR expires_at > now()) AND cache_key LIKE :#like::text LIMIT :#limit
