-- The registry follows the queue: entries of changed tags are deleted, and everyone that holds a copy is notified. A
-- tag with an entry that someone else has locked stays due.
WITH due AS MATERIALIZED (
    DELETE FROM freshet.registry_due
        WHERE ctid = ANY (ARRAY(SELECT ctid
            FROM freshet.registry_due LIMIT :#limit FOR UPDATE SKIP LOCKED)) RETURNING tag
), stale AS MATERIALIZED (
    SELECT cache_key FROM public.cache_entries WHERE tags && ARRAY(SELECT tag FROM due)
        ORDER BY cache_key FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM public.cache_entries e USING stale WHERE e.cache_key = stale.cache_key RETURNING e.cache_key
), later AS (
    INSERT INTO freshet.registry_due (tag)
    SELECT DISTINCT tag FROM due
    WHERE EXISTS (SELECT FROM public.cache_entries e WHERE e.tags @> ARRAY[due.tag]
        AND NOT EXISTS (SELECT FROM stale WHERE stale.cache_key = e.cache_key))
), told AS (
    SELECT jsonb_agg(cache_key
        ORDER BY cache_key) AS keys, gen_random_uuid()::text AS request_id, clock_timestamp() AS at
            FROM gone HAVING count(*) > 0
), audited AS (
    INSERT INTO public.invalidation_audit (kind, keys, triggered_by, timestamp, request_id, detail)
    SELECT 'invalidation', keys, 'queue', at, freshet.fit_audit(request_id, 'request_id'),
           freshet.fit_audit('entries of the registry', 'detail')
    FROM told
), published AS (
    INSERT INTO freshet.publication (keys, triggered_by, request_id, published_at) SELECT keys, 'queue', request_id, at
        FROM told
)
SELECT count(*)::integer AS due FROM due
