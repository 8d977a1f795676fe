SELECT count(*) AS "totalEntries", count(*) FILTER (WHERE expires_at <= now()) AS "expiredEntries",
       to_char(min(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "oldestEntry",
       to_char(max(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "newestEntry"
FROM public.cache_entries WHERE expires_at IS DISTINCT FROM '-infinity'
