-- Entries that expired a while ago, and those that were invalidated a while ago (out of date since for ever).
DELETE FROM public.cache_entries WHERE cache_key = ANY (ARRAY(
    SELECT cache_key FROM public.cache_entries
    WHERE expires_at > '-infinity' AND expires_at < now() - make_interval(secs => :#retentionSeconds)
       OR expires_at = '-infinity' AND updated_at < now() - make_interval(secs => :#retentionSeconds)
    LIMIT :#limit FOR UPDATE SKIP LOCKED))
