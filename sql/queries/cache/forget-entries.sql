-- Entries that expired some time ago, and entries that were invalidated some time ago (their expiry is -infinity).
DELETE FROM public.cache_entries WHERE cache_key = ANY (ARRAY(
    SELECT cache_key FROM public.cache_entries
    WHERE expires_at > '-infinity' AND expires_at < now() - make_interval(secs => :#retentionSeconds)
       OR expires_at = '-infinity' AND updated_at < now() - make_interval(secs => :#retentionSeconds)
    LIMIT :#limit FOR UPDATE SKIP LOCKED))
