-- Invalidates in SQL, inside the caller's transaction: by keys, by tags, or by what happened (cache_tag_rules). All
-- these functions return the number of registry entries that were removed. What they publish is sent when the
-- transaction has committed.
DO $$
BEGIN
    PERFORM freshet.step_aside(name)
    FROM unnest('{cache_invalidate_keys,cache_invalidate_tags,cache_invalidate,cache_tags_of_rule}'::name[]) name;
END $$;

CREATE OR REPLACE FUNCTION public.cache_invalidate_keys(keys text[], triggered_by text DEFAULT 'sql') RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    wanted  CONSTANT text[] := ARRAY(SELECT k FROM unnest(keys) WITH ORDINALITY u(k, n) GROUP BY k ORDER BY min(n));
    request CONSTANT text := gen_random_uuid()::text;
    counted bigint;
BEGIN
    IF EXISTS (SELECT FROM unnest(wanted) k WHERE k IS NULL OR length(k) NOT BETWEEN 1 AND 1024) THEN
        RAISE EXCEPTION 'a cache key has 1 to 1024 characters' USING ERRCODE = 'invalid_parameter_value';
    ELSIF cardinality(wanted) = 0 THEN
        RETURN 0;
    END IF;
    WITH held AS MATERIALIZED (
        SELECT e.cache_key
        FROM unnest(wanted) k JOIN public.cache_entries e ON e.cache_key = k
        ORDER BY e.cache_key FOR UPDATE OF e
    ), gone AS (
        DELETE FROM public.cache_entries e USING held WHERE e.cache_key = held.cache_key RETURNING e.expires_at
    ), audited AS (
        INSERT INTO public.invalidation_audit (kind, keys, triggered_by, timestamp, request_id)
        VALUES ('invalidation', to_jsonb(wanted), freshet.fit_audit(triggered_by, 'triggered_by'), clock_timestamp(),
                freshet.fit_audit(request, 'request_id'))
    ), published AS (
        INSERT INTO freshet.publication (keys, triggered_by, request_id, published_at)
        VALUES (to_jsonb(wanted), triggered_by, request, clock_timestamp())
    )
    SELECT count(*) FILTER (WHERE expires_at IS NULL OR expires_at > now()) INTO counted FROM gone;
    RETURN counted;
END $$;

-- Queues the tags for the targets, too. The event contains them, and the keys of the entries that were removed (at most
-- 100,000).
CREATE OR REPLACE FUNCTION public.cache_invalidate_tags(tags text[], triggered_by text DEFAULT 'sql') RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    wanted  CONSTANT text[] := ARRAY(SELECT t FROM unnest(tags) WITH ORDINALITY u(t, n) GROUP BY t ORDER BY min(n));
    request CONSTANT text := gen_random_uuid()::text;
    keys    text[];
    counted bigint;
BEGIN
    IF EXISTS (SELECT FROM unnest(wanted) t WHERE t IS NULL OR length(t) NOT BETWEEN 1 AND 256) THEN
        RAISE EXCEPTION 'a tag has 1 to 256 characters' USING ERRCODE = 'invalid_parameter_value';
    ELSIF cardinality(wanted) = 0 THEN
        RETURN 0;
    END IF;
    INSERT INTO freshet.inbox (tag, registry_knows) SELECT t COLLATE "C", true FROM unnest(wanted) t;
    -- wakes an instance that is asleep
    IF freshet.must_wake() THEN
        PERFORM pg_notify('freshet_live', '');
    END IF;
    WITH held AS MATERIALIZED (
        SELECT e.cache_key FROM public.cache_entries e WHERE e.tags && wanted ORDER BY e.cache_key FOR UPDATE
    ), gone AS (
        DELETE FROM public.cache_entries e USING held WHERE e.cache_key = held.cache_key
        RETURNING e.cache_key, e.expires_at
    )
    SELECT coalesce(array_agg(cache_key ORDER BY cache_key), '{}'),
           count(*) FILTER (WHERE expires_at IS NULL OR expires_at > now())
    INTO keys, counted FROM gone;
    keys := keys[:100000] || ARRAY(SELECT t FROM unnest(wanted) t WHERE t <> ALL (keys));
    INSERT INTO public.invalidation_audit (kind, keys, triggered_by, timestamp, request_id, detail)
    VALUES ('invalidation', to_jsonb(keys), freshet.fit_audit(triggered_by, 'triggered_by'), clock_timestamp(),
            freshet.fit_audit(request, 'request_id'),
            freshet.fit_audit('tags ' || array_to_string(wanted, ', '), 'detail'));
    INSERT INTO freshet.publication (keys, tags, triggered_by, request_id, published_at)
    VALUES (to_jsonb(keys), wanted, triggered_by, request, clock_timestamp());
    RETURN counted;
END $$;

-- The tags that these rules stand for, including those of the rules that they include; each once, in the order of the
-- rules.
CREATE OR REPLACE FUNCTION freshet.tags_of_rules(names text[], ids jsonb) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE meant(name, path) AS (
    SELECT name, ARRAY[n] FROM unnest(names) WITH ORDINALITY u(name, n)
    UNION ALL
    SELECT part.name, path || part.n
    FROM meant JOIN public.cache_tag_rules r ON r.name = meant.name, unnest(r.includes) WITH ORDINALITY part(name, n)
    WHERE cardinality(path) < 16
), templates AS (
    SELECT t.template, min(meant.path || t.n) AS path
    FROM meant JOIN public.cache_tag_rules r ON r.name = meant.name, unnest(r.tags) WITH ORDINALITY t(template, n)
    GROUP BY t.template
), rendered AS (
    -- in one pass, so that the value of an id is never taken for a placeholder
    SELECT path,
           string_agg(CASE WHEN piece[1] LIKE '{_%}' THEN ids ->> btrim(piece[1], '{}') ELSE piece[1] END, ''
                      ORDER BY n) AS tag,
           bool_or(piece[1] LIKE '{_%}' AND coalesce(ids ->> btrim(piece[1], '{}'), '') = '') AS lacks_id
    FROM templates
    CROSS JOIN LATERAL regexp_matches(template, '\{[A-Za-z]+\}|[^{]+|\{', 'g') WITH ORDINALITY m(piece, n)
    GROUP BY template, path
)
SELECT coalesce(array_agg(tag ORDER BY path), '{}')
FROM (SELECT tag, min(path) AS path FROM rendered WHERE NOT lacks_id GROUP BY tag) each
$$;
REVOKE ALL ON FUNCTION freshet.tags_of_rules(text[], jsonb) FROM PUBLIC;

-- To check a rule before using it: SELECT cache_tags_of_rule('products', '{"clientId": 7}').
CREATE OR REPLACE FUNCTION public.cache_tags_of_rule(rule text, ids jsonb DEFAULT '{}') RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT freshet.tags_of_rules(ARRAY[rule], ids) $$;

CREATE OR REPLACE FUNCTION public.cache_invalidate(rule text, ids jsonb DEFAULT '{}', triggered_by text DEFAULT 'sql')
    RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.cache_tag_rules WHERE name = rule) THEN
        RAISE EXCEPTION 'there is no rule % in cache_tag_rules', quote_literal(rule)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN public.cache_invalidate_tags(freshet.tags_of_rules(ARRAY[rule], ids), triggered_by);
END $$;

DO $$
BEGIN
    PERFORM freshet.settle_in('public.cache_invalidate_keys(text[], text)', 'pg_proc',
        'invalidates keys', '{service_role}');
    PERFORM freshet.settle_in('public.cache_invalidate_tags(text[], text)', 'pg_proc',
        'invalidates what has one of these tags, and queues them', '{service_role}');
    PERFORM freshet.settle_in('public.cache_tags_of_rule(text, jsonb)', 'pg_proc',
        'the tags that a rule of cache_tag_rules stands for', '{service_role}');
    PERFORM freshet.settle_in('public.cache_invalidate(text, jsonb, text)', 'pg_proc',
        'invalidates what a rule of cache_tag_rules stands for', '{service_role}');
END $$;
