SELECT count(pg_notify('cache-invalidate', event)) FROM unnest(:#events::text[]) event
