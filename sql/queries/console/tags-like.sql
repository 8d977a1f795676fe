-- Dry run: tags that are known anywhere and fulfil what a regular expression requires for certain.
SELECT DISTINCT tag FROM (
    SELECT tag FROM freshet.inbox
    UNION ALL SELECT tag FROM public.cache_invalidation_queue
    UNION ALL SELECT tag FROM freshet.delivery
    UNION ALL SELECT tag FROM freshet.dead_letter
    UNION ALL SELECT unnest(tags) FROM public.cache_entries WHERE expires_at IS NULL OR expires_at > now()
) known WHERE tag LIKE :#like::text LIMIT :#limit
