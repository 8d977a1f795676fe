-- Processes one request to invalidate: its effect, its answer, its audit row and its event, all or none. If the same
-- request comes again, it gets the first one's answer, after waiting for the first if that is still under way, and
-- nothing else happens. `said`, the answer, lacks only the time. An entry is kept for a while, empty and expired since
-- -infinity, because a cache process may have filled its own copy again without reporting it. For many keys, each
-- request is planned anew: a plan made for two keys and an empty registry would take forever with 100,000 keys and as
-- many entries.
CREATE OR REPLACE FUNCTION freshet.invalidate(wanted text[], of_pattern text, request text, said text, caller text,
    elapsed_ms double precision, remark text)
    RETURNS TABLE (told text, first_time boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_seqscan = on
AS $$
DECLARE
    ignored text;
BEGIN
    -- All calls with few keys share one plan, because planning takes longer than everything else. The plan must look up
    -- key by key even if it was made for an empty table. Therefore the statement has conditions instead of joins, and
    -- an order that no index has: a join, or the order of an index, might make it read a whole index.
    IF cardinality(wanted) <= 100 THEN
        ignored := set_config('plan_cache_mode', 'force_generic_plan', true);
        ignored := set_config('enable_seqscan', 'off', true);
    END IF;
    RETURN QUERY
    WITH input AS MATERIALIZED (
        SELECT to_jsonb(wanted) AS keys, nullif(of_pattern, '') AS pattern, clock_timestamp() AS at
    ), asked AS (
        INSERT INTO freshet.invalidation_request AS r (request_id, answer)
        SELECT request, left(said, -1) || ',"published_at":"'
                        || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"}'
        FROM input
        ON CONFLICT (request_id) DO UPDATE SET request_id = excluded.request_id
        RETURNING r.answer, r.xmax = 0 AS is_new
    ), held AS MATERIALIZED (
        SELECT e.cache_key, e.expires_at
        FROM public.cache_entries e
        WHERE e.cache_key = ANY (wanted) AND (SELECT is_new FROM asked)
        ORDER BY e.cache_key || '' FOR UPDATE OF e
    ), emptied AS (
        UPDATE public.cache_entries e SET expires_at = '-infinity', value = NULL, updated_at = now()
        WHERE e.cache_key = ANY (ARRAY(SELECT cache_key FROM held WHERE expires_at IS DISTINCT FROM '-infinity'))
          AND cardinality(wanted) <= 10000
    ), gone AS (
        DELETE FROM public.cache_entries e
        WHERE e.cache_key = ANY (ARRAY(SELECT cache_key FROM held)) AND cardinality(wanted) > 10000
    ), audited AS (
        INSERT INTO public.invalidation_audit
            (kind, pattern, keys, triggered_by, timestamp, request_id, latency_ms, detail)
        SELECT 'invalidation', freshet.fit_audit(pattern, 'pattern'), keys,
               freshet.fit_audit(caller, 'triggered_by'), at, freshet.fit_audit(request, 'request_id'), elapsed_ms,
               freshet.fit_audit(remark, 'detail')
        FROM input, asked WHERE asked.is_new
    ), published AS (
        INSERT INTO freshet.publication (pattern, keys, triggered_by, request_id, published_at)
        SELECT coalesce(pattern, ''), keys, caller, request, at FROM input, asked WHERE asked.is_new
    )
    SELECT asked.answer, asked.is_new FROM asked;
END $$;
REVOKE ALL ON FUNCTION freshet.invalidate(text[], text, text, text, text, double precision, text) FROM PUBLIC;
