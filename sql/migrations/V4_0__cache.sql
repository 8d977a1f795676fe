-- The registry of application caches, the invalidation service's requests, and its topic.

-- Entries of application caches: their keys and tags, and a value where the cache itself is kept here.
CREATE TABLE IF NOT EXISTS public.cache_entries (
    cache_key  text        COLLATE "C" PRIMARY KEY,
    tags       text[]      NOT NULL DEFAULT '{}',
    value      jsonb,
    expires_at timestamptz,                                           -- null: never; -infinity: invalidated,
                                                                      -- and only known by its key
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT key_is_1_to_1024_characters CHECK (length(cache_key) BETWEEN 1 AND 1024),
    CONSTRAINT key_fits_into_an_index CHECK (octet_length(cache_key) <= 2600)
);
ALTER TABLE public.cache_entries
    ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT now();
-- Patterns: what begins, ends, or contains. A C collation's primary key serves the first by itself.
CREATE INDEX cache_entries_end
    ON public.cache_entries (reverse(cache_key) text_pattern_ops);    -- keys-with-suffix
CREATE INDEX cache_entries_tags
    ON public.cache_entries USING gin (tags) WITH (fastupdate = off); -- invalidate_cache_tags
CREATE INDEX cache_entries_expired ON public.cache_entries (expires_at)
    WHERE expires_at > '-infinity';                                   -- forget-entries
CREATE INDEX cache_entries_invalidated ON public.cache_entries (updated_at)
    WHERE expires_at = '-infinity';                                   -- forget-entries
DO $$
DECLARE
    trigrams text;
BEGIN
    IF (SELECT attcollation <> 'pg_catalog."C"'::regcollation FROM pg_attribute
        WHERE attrelid = 'public.cache_entries'::regclass AND attname = 'cache_key') THEN
        CREATE INDEX cache_entries_begin                              -- keys-with-prefix
            ON public.cache_entries (cache_key text_pattern_ops);
    END IF;
    BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA freshet;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'Freshet found no pg_trgm (%): '
                     'patterns that only know what a key contains read the whole registry', SQLERRM;
    END;
    SELECT quote_ident(n.nspname) INTO trigrams
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    IF trigrams IS NOT NULL THEN
        -- keys-with-infix
        EXECUTE format('CREATE INDEX cache_entries_middle'
                       ' ON public.cache_entries USING gin (cache_key %s.gin_trgm_ops) WITH (fastupdate = off)',
                       trigrams);
    END IF;
END $$;

-- Which tags an entity's change stands for: ops change a row, the next call follows. {clientId}, {productId} and
-- {moduleId} are replaced by what the caller gives; a tag whose id was not given is left out.
DO $$ BEGIN PERFORM freshet.step_aside('cache_tag_rules'); END $$;
CREATE TABLE public.cache_tag_rules (
    name     text   PRIMARY KEY,                                      -- the "type" of /api/admin/cache/clear,
                                                                      -- or an event
    tags     text[] NOT NULL DEFAULT '{}',
    includes text[] NOT NULL DEFAULT '{}',                            -- other rules whose tags belong to it
    option   text   UNIQUE,                                           -- its name among the options
                                                                      -- of invalidateRelatedCaches
    is_event boolean NOT NULL DEFAULT false,
    CONSTRAINT name_is_a_word CHECK (name ~ '^[A-Za-z][A-Za-z0-9_]{0,62}$')
);
INSERT INTO public.cache_tag_rules (name, tags, includes, option, is_event) VALUES
    ('products',        ARRAY['job_readiness_products', 'products', 'client:{clientId}'],
                        '{}', 'products', false),
    ('expert_sessions', ARRAY['expert_sessions', 'job_readiness', 'product:{productId}'],
                        '{}', 'expertSessions', false),
    ('client_configs',  ARRAY['client_configs', 'clients', 'settings', 'client:{clientId}'],
                        '{}', 'clientConfigs', false),
    ('module_content',  ARRAY['module_content', 'modules', 'lessons', 'module:{moduleId}'],
                        '{}', 'moduleContent', false),
    ('all_phase2',      ARRAY['job_readiness_products', 'expert_sessions', 'client_configs', 'module_content'],
                        '{}', NULL, false),
    ('all_phase1',      ARRAY['users', 'clients', 'analytics', 'dashboard'],
                        '{}', NULL, false),
    ('onProductCreated',        ARRAY['product:{productId}'], ARRAY['products', 'client_configs'], NULL, true),
    ('onExpertSessionModified', '{}', ARRAY['expert_sessions'], NULL, true),
    ('onModuleContentModified', '{}', ARRAY['module_content'], NULL, true),
    ('onClientConfigModified',  '{}', ARRAY['products', 'client_configs'], NULL, true),
    ('onBulkDataImport',        '{}', ARRAY['all_phase2'], NULL, true);

-- A request's answer, for whoever asks again with the same request_id. It is written with the request's effect.
CREATE TABLE freshet.invalidation_request (
    request_id text        PRIMARY KEY,
    answer     text        NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invalidation_request_oldest ON freshet.invalidation_request (asked_at);   -- forget-invalidation-requests

-- What is to be published to the topic cache-invalidate: written with the effect, gone when it was sent.
CREATE TABLE freshet.publication (
    number       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),      -- for subscribers that drop duplicates
    pattern      text        NOT NULL DEFAULT '',                     -- '': keys only
    keys         jsonb       NOT NULL,
    tags         text[],
    triggered_by text        NOT NULL,
    request_id   text        NOT NULL,
    published_at timestamptz NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    not_before   timestamptz NOT NULL DEFAULT '-infinity',
    topic        text        NOT NULL DEFAULT 'publish',              -- the route that sends it on
    copied       boolean     NOT NULL DEFAULT false                   -- every other route publish-NAME
                                                                      -- has a row of its own for it
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
-- relay: the oldest of a topic, however many wait for another one
CREATE INDEX publication_oldest_of_topic ON freshet.publication (topic, number);

-- Tags that changed while the registry had entries: those of the tag have to leave, too. What was invalidated through
-- the registry itself is not among them: an entry that was filled again since is fresh.
CREATE TABLE freshet.registry_due (
    tag text NOT NULL
) WITH (vacuum_truncate = off);

-- Counts of every instance, added up by whoever comes by; append-only, so that no counting waits for another.
CREATE TABLE freshet.tally (
    name  text   NOT NULL,
    value bigint NOT NULL
) WITH (vacuum_truncate = off);

-- Tables that are new here start closed.
DO $$
BEGIN
    IF 'public.cache_entries'::regclass::oid > 'freshet.job_function'::regclass::oid THEN
        PERFORM freshet.settle_in('public.cache_entries', 'pg_class', 'the registry of application caches');
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.cache_entries TO service_role;
        END IF;
    END IF;
    PERFORM freshet.settle_in('public.cache_tag_rules', 'pg_class',
        'which tags an entity''s change stands for', '{service_role}');
END $$;

-- One request to invalidate: its effect, its answer, its audit row and its event, all or none. The same request again
-- finds the answer of the first, waiting for it where it is still under way, and nothing else happens. "said", the
-- answer, lacks only the time. An entry stays known for a while, empty and out of date since for ever: a cache process
-- may have filled its own copy again without a word. Many keys are planned for each request: a plan that was made for
-- two keys and an empty registry never ends with 100,000 keys and as many entries.
CREATE FUNCTION freshet.invalidate(wanted text[], of_pattern text, request text, said text, caller text,
    elapsed_ms double precision, remark text)
    RETURNS TABLE (told text, first_time boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_seqscan = on
AS $$
DECLARE
    ignored text;
BEGIN
    -- one plan for all calls with few keys: planning takes longer than all the rest. It looks up key by key, also when
    -- it was made for an empty table: therefore conditions instead of joins, and an order that no index has; either may
    -- read a whole index
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
        SELECT 'invalidation', pattern, keys, caller, at, request, elapsed_ms, remark
        FROM input, asked WHERE asked.is_new
    ), published AS (
        INSERT INTO freshet.publication (pattern, keys, triggered_by, request_id, published_at)
        SELECT coalesce(pattern, ''), keys, caller, request, at FROM input, asked WHERE asked.is_new
    )
    SELECT asked.answer, asked.is_new FROM asked;
END $$;
REVOKE ALL ON FUNCTION freshet.invalidate(text[], text, text, text, text, double precision, text) FROM PUBLIC;
