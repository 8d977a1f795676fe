-- SELECT * FROM get_cache_invalidation_stats('AB3028', 60): what was sent in the last 60 minutes, as far back as the
-- history goes. With null, for all events.
DO $$ BEGIN PERFORM freshet.step_aside('get_cache_invalidation_stats'); END $$;

CREATE OR REPLACE FUNCTION public.get_cache_invalidation_stats(eid text DEFAULT NULL, minutes integer DEFAULT 60)
RETURNS TABLE (event_eid text, table_name text, operation text, count bigint, last_invalidation timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT e.event_eid, e.table_name, e.operation, sum(e.changes)::bigint, max(e.changed_at)
FROM freshet.live_event e
WHERE e.published_at > now() - make_interval(mins => minutes) AND (eid IS NULL OR e.event_eid = eid)
GROUP BY e.event_eid, e.table_name, e.operation
ORDER BY e.event_eid, e.table_name, e.operation
$$;

DO $$
BEGIN
    PERFORM freshet.settle_in('public.get_cache_invalidation_stats(text, integer)', 'pg_proc',
        'live events of the last minutes, counted', '{service_role}');
END $$;
