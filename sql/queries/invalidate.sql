-- One request to invalidate: its effect, its answer, its audit row and its event, all or none. The same request again finds the answer of the
-- first, waiting for it where it is still under way, and nothing else happens. :answer lacks only the time.
-- An entry stays known for a while, empty and out of date since for ever: a cache process may have filled its own copy again without a word.
WITH input AS MATERIALIZED (
    SELECT to_jsonb(:#keys::text[]) AS keys, nullif(:#pattern, '') AS pattern, clock_timestamp() AS at
), asked AS (
    INSERT INTO freshet.invalidation_request AS r (request_id, answer)
    SELECT :#requestId, left(:#answer, -1) || ',"published_at":"' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"}' FROM input
    ON CONFLICT (request_id) DO UPDATE SET request_id = excluded.request_id
    RETURNING r.answer, r.xmax = 0 AS is_new
), held AS MATERIALIZED (
    SELECT e.cache_key, e.expires_at
    FROM unnest(:#keys::text[]) k JOIN public.cache_entries e ON e.cache_key = k
    WHERE (SELECT is_new FROM asked)
    ORDER BY e.cache_key FOR UPDATE OF e
), emptied AS (
    UPDATE public.cache_entries e SET expires_at = '-infinity', value = NULL, updated_at = now()
    FROM held WHERE e.cache_key = held.cache_key AND held.expires_at IS DISTINCT FROM '-infinity' AND cardinality(:#keys::text[]) <= 10000
), gone AS (
    DELETE FROM public.cache_entries e USING held WHERE e.cache_key = held.cache_key AND cardinality(:#keys::text[]) > 10000
), audited AS (
    INSERT INTO public.invalidation_audit (kind, pattern, keys, triggered_by, timestamp, request_id, latency_ms, detail)
    SELECT 'invalidation', pattern, keys, :#triggeredBy, at, :#requestId, :#elapsedMs, :#detail FROM input, asked WHERE asked.is_new
), published AS (
    INSERT INTO freshet.publication (pattern, keys, triggered_by, request_id, published_at)
    SELECT coalesce(pattern, ''), keys, :#triggeredBy, :#requestId, at FROM input, asked WHERE asked.is_new
)
SELECT answer, is_new FROM asked
