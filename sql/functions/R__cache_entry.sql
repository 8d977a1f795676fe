-- The registry of application caches in SQL: SELECT cache_entry_put('user:1', '{"name": "Ada"}', ARRAY['users'], 300),
-- cache_entry_get('user:1').
DO $$
BEGIN
    PERFORM freshet.step_aside(name)
    FROM unnest('{cache_entry_put,cache_entry_get,cache_entry_delete}'::name[]) name;
END $$;

CREATE OR REPLACE FUNCTION public.cache_entry_put(key text, value jsonb DEFAULT NULL, tags text[] DEFAULT '{}',
    ttl_seconds double precision DEFAULT NULL, expires_at timestamptz DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    until CONSTANT timestamptz := coalesce(expires_at, now() + make_interval(secs => ttl_seconds));
BEGIN
    IF coalesce(length(key), 0) NOT BETWEEN 1 AND 1024 OR octet_length(key) > 2600 THEN
        RAISE EXCEPTION 'a cache key has 1 to 1024 characters, and at most 2600 bytes in UTF-8'
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF EXISTS (SELECT FROM unnest(tags) t WHERE t IS NULL OR length(t) NOT BETWEEN 1 AND 256) THEN
        RAISE EXCEPTION 'a tag has 1 to 256 characters' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO public.cache_entries AS e (cache_key, value, tags, expires_at)
    VALUES (key, value, coalesce(tags, '{}'), until)
    ON CONFLICT (cache_key) DO UPDATE SET
        value = excluded.value, tags = excluded.tags, expires_at = excluded.expires_at,
        created_at = now(), updated_at = now();
END $$;

-- Counts a hit or a miss by adding a row, so that readers never wait for each other. In a read-only transaction it
-- counts nothing.
CREATE OR REPLACE FUNCTION public.cache_entry_get(key text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    found_value jsonb;
    is_there    boolean;
BEGIN
    SELECT coalesce(e.value, 'null'), true INTO found_value, is_there
    FROM public.cache_entries e WHERE e.cache_key = key AND (e.expires_at IS NULL OR e.expires_at > now());
    IF current_setting('transaction_read_only') = 'off' THEN
        INSERT INTO freshet.tally (name, value)
        VALUES (CASE WHEN is_there THEN 'cache_hits' ELSE 'cache_misses' END, 1);
    END IF;
    RETURN found_value;
END $$;

CREATE OR REPLACE FUNCTION public.cache_entry_delete(key text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT public.cache_invalidate_keys(ARRAY[key]) > 0 $$;

DO $$
BEGIN
    PERFORM freshet.settle_in('public.cache_entry_put(text, jsonb, text[], double precision, timestamptz)', 'pg_proc',
        'writes an entry of the registry', '{service_role}');
    PERFORM freshet.settle_in('public.cache_entry_get(text)', 'pg_proc',
        'reads an entry of the registry, and counts the hit or the miss', '{service_role}');
    PERFORM freshet.settle_in('public.cache_entry_delete(text)', 'pg_proc',
        'removes an entry of the registry, and publishes its key', '{service_role}');
END $$;
