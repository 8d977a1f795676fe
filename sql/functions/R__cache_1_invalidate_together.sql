-- Processes several requests to invalidate few keys, which came at the same time, in one transaction; for each it does
-- what freshet.invalidate() does. Nobody else has their request ids (Freshet generated them), so none waits for a
-- duplicate. All keys are locked in one order, as everywhere. If somebody holds an entry for long, the whole batch
-- fails quickly. Then each request runs by itself, and only those that need that entry wait.
CREATE OR REPLACE FUNCTION freshet.invalidate_together(
        requests text[], key_lists text[], said text[], callers text[], elapsed_ms double precision[])
    RETURNS TABLE (request text, told text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
    -- one plan for all calls: see freshet.invalidate()
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET lock_timeout = '50ms'
AS $$
DECLARE
    wanted CONSTANT text[] := ARRAY(
        SELECT DISTINCT k FROM unnest(key_lists) list, jsonb_array_elements_text(list::jsonb) k);
BEGIN
    RETURN QUERY
    WITH input AS MATERIALIZED (
        SELECT u.*, clock_timestamp() AS at
        FROM unnest(requests, key_lists::jsonb[], said, callers, elapsed_ms)
            WITH ORDINALITY AS u (request_id, keys, answer, caller, elapsed, place)
    ), asked AS (
        INSERT INTO freshet.invalidation_request AS r (request_id, answer)
        SELECT i.request_id, left(i.answer, -1) || ',"published_at":"'
            || to_char(i.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"}' FROM input i
        RETURNING r.request_id, r.answer
    ), held AS MATERIALIZED (
        SELECT e.cache_key, e.expires_at
        FROM public.cache_entries e
        WHERE e.cache_key = ANY (wanted)
        ORDER BY e.cache_key || '' FOR UPDATE OF e
    ), emptied AS (
        UPDATE public.cache_entries e SET expires_at = '-infinity', value = NULL, updated_at = now()
        WHERE e.cache_key = ANY (ARRAY(SELECT cache_key FROM held WHERE expires_at IS DISTINCT FROM '-infinity'))
    ), audited AS (
        INSERT INTO public.invalidation_audit (kind, keys, triggered_by, timestamp, request_id, latency_ms)
        SELECT 'invalidation', i.keys, freshet.fit_audit(i.caller, 'triggered_by'), i.at,
               freshet.fit_audit(i.request_id, 'request_id'), i.elapsed
        FROM input i ORDER BY i.place
    ), published AS (
        INSERT INTO freshet.publication (keys, triggered_by, request_id, published_at)
        SELECT i.keys, i.caller, i.request_id, i.at FROM input i ORDER BY i.place
    )
    SELECT asked.request_id, asked.answer FROM asked;
END $$;
REVOKE ALL ON FUNCTION freshet.invalidate_together(text[], text[], text[], text[], double precision[]) FROM PUBLIC;
