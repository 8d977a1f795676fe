DELETE FROM public.invalidation_audit WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM public.invalidation_audit WHERE timestamp < now() - make_interval(secs => :#retentionSeconds) ORDER BY timestamp LIMIT :#limit))
