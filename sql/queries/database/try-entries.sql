-- The whole life of an entry as Freshet writes it; rolled back.
INSERT INTO public.cache_entries AS e (cache_key, value, tags, expires_at)
VALUES ('freshet:trial', '{}', ARRAY['trial'], NULL)
ON CONFLICT (cache_key) DO UPDATE SET value = excluded.value, tags = excluded.tags, expires_at = excluded.expires_at
RETURNING cache_key;
UPDATE public.cache_entries SET expires_at = '-infinity', value = NULL, updated_at = now()
WHERE cache_key = 'freshet:trial';
DELETE FROM public.cache_entries WHERE cache_key = 'freshet:trial'
