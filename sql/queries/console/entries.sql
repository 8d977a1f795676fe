-- Dry run: entries of the registry whose key matches, or that carry the tag.
SELECT cache_key, tags, count(*) OVER () AS matching
FROM public.cache_entries
WHERE (expires_at IS NULL OR expires_at > now())
  AND (CASE WHEN :#keys::text[] IS NULL THEN cache_key LIKE :#like::text ELSE cache_key = ANY (:#keys::text[]) END
       OR tags @> ARRAY[:#tag::text]
       OR tags && :#tags::text[]
       OR :#tag::text IS NULL AND :#tags::text[] IS NULL
           AND EXISTS (SELECT FROM unnest(tags) t WHERE t LIKE :#like::text))
ORDER BY cache_key LIMIT :#limit
