-- The whole life of a row as Freshet writes it; rolled back. If nothing is returned, a trigger or rule has swallowed
-- it.
INSERT INTO public.cache_invalidation_queue AS q (tag, time_bucket, invalidation_count, changed_at)
VALUES ('freshet:trial', date_bin('5 seconds', now(), timestamptz 'epoch'), 1, now())
ON CONFLICT (tag, time_bucket) DO UPDATE SET invalidation_count = q.invalidation_count + 1, last_invalidated_at = NULL
RETURNING tag;
UPDATE public.cache_invalidation_queue SET handover = 1, handed_count = invalidation_count WHERE tag = 'freshet:trial';
UPDATE public.cache_invalidation_queue SET last_invalidated_at = now(), handover = NULL WHERE tag = 'freshet:trial';
DELETE FROM public.cache_invalidation_queue WHERE tag = 'freshet:trial'
