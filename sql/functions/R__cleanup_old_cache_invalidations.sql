-- The replaced worker's clean-up, for those who call it from cron. Freshet does the same by itself
-- (sql/queries/queue/forget-processed.sql).
DO $$ BEGIN PERFORM freshet.step_aside('cleanup_old_cache_invalidations'); END $$;

-- At most 5,000 rows a call, so that nobody waits long for its locks. SELECT it again while it returns 5000.
CREATE OR REPLACE FUNCTION public.cleanup_old_cache_invalidations() RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deleted integer;
BEGIN
    -- checked twice: an upsert by someone else may have changed a row between the look and the lock
    DELETE FROM public.cache_invalidation_queue q
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM public.cache_invalidation_queue
        WHERE last_invalidated_at < now() - interval '1 hour' AND handover IS NULL
            AND invalidation_count <= handed_count
          AND (quiet_at IS NULL OR quiet_at < now())       -- a policy's window is kept until its tag has been quiet
        ORDER BY last_invalidated_at LIMIT 5000 FOR UPDATE SKIP LOCKED))
      AND last_invalidated_at < now() - interval '1 hour' AND handover IS NULL AND invalidation_count <= handed_count;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;

DO $$ BEGIN PERFORM freshet.settle_in('public.cleanup_old_cache_invalidations()', 'pg_proc',
    'deletes rows processed more than an hour ago'); END $$;
