-- Dry run: keys of the registry that fulfil what a regular expression requires for certain.
SELECT cache_key FROM public.cache_entries
WHERE (expires_at IS NULL OR expires_at > now()) AND cache_key LIKE :#like::text LIMIT :#limit
