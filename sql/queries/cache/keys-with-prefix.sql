SELECT cache_key FROM public.cache_entries WHERE cache_key LIKE :#literal || '%'
    AND (expires_at IS NULL OR expires_at > now() OR expires_at = '-infinity')
