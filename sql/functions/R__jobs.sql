-- What stats jobs need in the database; the tables are in sql/migrations/V11__stats.sql.

-- Keeps a job's columns consistent with its status, whoever changes it: Freshet, a console, or the manual's UPDATE.
CREATE OR REPLACE FUNCTION freshet.keep_job_in_order() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    IF NEW.status <> 'processing' THEN
        NEW.lease_until := NULL;
    END IF;
    IF NEW.status = 'queued' AND OLD.status <> 'queued' THEN
        NEW.completed_at := NULL;
        IF OLD.status <> 'processing' THEN
            NEW.deaths := 0;
        END IF;
        IF OLD.status = 'completed' THEN
            NEW.round := OLD.round + 1;
        END IF;
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION freshet.keep_job_in_order() FROM PUBLIC;

-- Here and not in a migration, because the function has to exist first.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'public.background_job_status'::regclass
                   AND tgname = 'freshet_keep_job_in_order') THEN
        CREATE TRIGGER freshet_keep_job_in_order BEFORE UPDATE ON public.background_job_status
            FOR EACH ROW EXECUTE FUNCTION freshet.keep_job_in_order();
    END IF;
END $$;

-- The lock that whoever runs this function for this job holds until its transaction ends. A new attempt finds the old
-- one's backends by it.
CREATE OR REPLACE FUNCTION freshet.job_lock(job uuid, function text) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN hashtextextended(job::text || '/' || function, 7382086);

-- What the consoles read, assembled from the functions that this attempt had to run.
CREATE OR REPLACE FUNCTION freshet.job_results(job uuid, of_attempt integer) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT jsonb_build_object(
        'total_functions', count(*),
        'successful_functions', count(*) FILTER (WHERE status = 'success'),
        'failed_functions', count(*) FILTER (WHERE status = 'failed'),
        'running_functions', coalesce(jsonb_agg(function ORDER BY function) FILTER (WHERE status = 'running'), '[]'),
        'cache_invalidation_success', false,
        'function_results', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'function', function, 'status', status,
            'duration', round(extract(epoch FROM ended_at - started_at) * 1000), 'error', error,
            'started_at', started_at, 'ended_at', ended_at)) ORDER BY ended_at)
            FILTER (WHERE status <> 'running'), '[]'))
    FROM freshet.job_function f WHERE f.job_id = job AND f.attempt = of_attempt);

-- Runs one statistics function, in the caller's transaction and with the caller's search_path. If there is a tenant,
-- and the function has a parameter target_tenant_id, it runs for that tenant only.
CREATE OR REPLACE FUNCTION freshet.run_stats_function(wanted text, tenant uuid) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    callee record;
BEGIN
    SELECT format('%I.%I', n.nspname, p.proname) AS name,
           tenant IS NOT NULL AND EXISTS (
               SELECT FROM unnest(p.proargnames, p.proargtypes::oid[]) a(name, type)
               WHERE a.name = 'target_tenant_id' AND a.type = 'uuid'::regtype) AS for_tenant
    INTO callee
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proname = wanted AND p.prokind = 'f' AND pg_catalog.pg_function_is_visible(p.oid)
    ORDER BY 2 DESC, p.pronargs LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'function %() does not exist', wanted USING ERRCODE = 'undefined_function';
    END IF;
    IF callee.for_tenant THEN
        EXECUTE 'SELECT FROM ' || callee.name || '(target_tenant_id => $1)' USING tenant;
    ELSE
        EXECUTE 'SELECT FROM ' || callee.name || '()';
    END IF;
END $$;
REVOKE ALL ON FUNCTION freshet.job_lock(uuid, text), freshet.job_results(uuid, integer),
    freshet.run_stats_function(text, uuid) FROM PUBLIC;
