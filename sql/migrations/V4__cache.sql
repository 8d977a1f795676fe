-- The registry of application caches, the invalidation service's requests and its topic, and an audit that nobody rewrites.

-- Entries of application caches: their keys and tags, and a value where the cache itself is kept here.
CREATE TABLE IF NOT EXISTS public.cache_entries (
    cache_key  text        COLLATE "C" PRIMARY KEY,
    tags       text[]      NOT NULL DEFAULT '{}',
    value      jsonb,
    expires_at timestamptz,                                           -- null: never; -infinity: invalidated, and only known by its key
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT key_is_1_to_1024_characters CHECK (length(cache_key) BETWEEN 1 AND 1024),
    CONSTRAINT key_fits_into_an_index CHECK (octet_length(cache_key) <= 2600)
);
ALTER TABLE public.cache_entries
    ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT now();
-- Patterns: what begins, ends, or contains. A C collation's primary key serves the first by itself.
CREATE INDEX cache_entries_end ON public.cache_entries (reverse(cache_key) text_pattern_ops);          -- keys-with-suffix
CREATE INDEX cache_entries_tags ON public.cache_entries USING gin (tags) WITH (fastupdate = off);      -- invalidate_cache_tags
CREATE INDEX cache_entries_expired ON public.cache_entries (expires_at) WHERE expires_at > '-infinity';                 -- forget-entries
CREATE INDEX cache_entries_invalidated ON public.cache_entries (updated_at) WHERE expires_at = '-infinity';            -- forget-entries
DO $$
DECLARE
    trigrams text;
BEGIN
    IF (SELECT attcollation <> 'pg_catalog."C"'::regcollation FROM pg_attribute WHERE attrelid = 'public.cache_entries'::regclass AND attname = 'cache_key') THEN
        CREATE INDEX cache_entries_begin ON public.cache_entries (cache_key text_pattern_ops);         -- keys-with-prefix
    END IF;
    BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA freshet;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'Freshet found no pg_trgm (%): patterns that only know what a key contains read the whole registry', SQLERRM;
    END;
    SELECT quote_ident(n.nspname) INTO trigrams FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    IF trigrams IS NOT NULL THEN
        EXECUTE format('CREATE INDEX cache_entries_middle ON public.cache_entries USING gin (cache_key %s.gin_trgm_ops) WITH (fastupdate = off)', trigrams);   -- keys-with-infix
    END IF;
END $$;

-- Which tags an entity's change stands for: ops change a row, the next call follows. {clientId}, {productId} and {moduleId} are
-- replaced by what the caller gives; a tag whose id was not given is left out.
DO $$ BEGIN PERFORM freshet.step_aside('cache_tag_rules'); END $$;
CREATE TABLE public.cache_tag_rules (
    name     text   PRIMARY KEY,                                      -- the "type" of /api/admin/cache/clear, or an event
    tags     text[] NOT NULL DEFAULT '{}',
    includes text[] NOT NULL DEFAULT '{}',                            -- other rules whose tags belong to it
    option   text   UNIQUE,                                           -- its name among the options of invalidateRelatedCaches
    is_event boolean NOT NULL DEFAULT false,
    CONSTRAINT name_is_a_word CHECK (name ~ '^[A-Za-z][A-Za-z0-9_]{0,62}$')
);
INSERT INTO public.cache_tag_rules (name, tags, includes, option, is_event) VALUES
    ('products',        ARRAY['job_readiness_products', 'products', 'client:{clientId}'], '{}', 'products', false),
    ('expert_sessions', ARRAY['expert_sessions', 'job_readiness', 'product:{productId}'], '{}', 'expertSessions', false),
    ('client_configs',  ARRAY['client_configs', 'clients', 'settings', 'client:{clientId}'], '{}', 'clientConfigs', false),
    ('module_content',  ARRAY['module_content', 'modules', 'lessons', 'module:{moduleId}'], '{}', 'moduleContent', false),
    ('all_phase2',      ARRAY['job_readiness_products', 'expert_sessions', 'client_configs', 'module_content'], '{}', NULL, false),
    ('all_phase1',      ARRAY['users', 'clients', 'analytics', 'dashboard'], '{}', NULL, false),
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
    copied       boolean     NOT NULL DEFAULT false                   -- every other route publish-NAME has a row of its own for it
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
-- relay: the oldest of a topic, however many wait for another one
CREATE INDEX publication_oldest_of_topic ON freshet.publication (topic, number);

-- Tags that changed while the registry had entries: those of the tag have to leave, too. What was invalidated through the registry itself is
-- not among them: an entry that was filled again since is fresh.
ALTER TABLE freshet.inbox ADD COLUMN registry_knows boolean NOT NULL DEFAULT false;
CREATE TABLE freshet.registry_due (
    tag text NOT NULL
) WITH (vacuum_truncate = off);

-- Counts of every instance, added up by whoever comes by; append-only, so that no counting waits for another.
CREATE TABLE freshet.tally (
    name  text   NOT NULL,
    value bigint NOT NULL
) WITH (vacuum_truncate = off);

-- The audit. What V1 adopted or made may be added to, and that is all: see freshet.keep_audit().
CREATE INDEX invalidation_audit_listed ON public.invalidation_audit (timestamp DESC)   -- GET /audit/logs
    WHERE kind IS NULL OR kind IN ('invalidation', 'no-target') OR kind = 'delivery' AND outcome IN ('delivered', 'dead');
CREATE INDEX invalidation_audit_request ON public.invalidation_audit USING hash (request_id);   -- GET /audit/logs?request_id=
CREATE INDEX invalidation_audit_pattern ON public.invalidation_audit USING hash (pattern);      -- GET /audit/logs?pattern=

-- Written by freshet.forget_audit() and seen only inside its transaction: what may leave, and nothing younger.
CREATE TABLE freshet.audit_retention (
    allowed_in  xid8        PRIMARY KEY,
    older_than  timestamptz NOT NULL
);
CREATE FUNCTION freshet.keep_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT FROM freshet.audit_retention WHERE allowed_in = pg_current_xact_id_if_assigned()) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'public.invalidation_audit is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Old rows leave by themselves after FRESHET_AUDIT_RETENTION.';
END $$;
REVOKE ALL ON FUNCTION freshet.keep_audit() FROM PUBLIC;
CREATE TRIGGER freshet_keep_audit BEFORE UPDATE OR DELETE OR TRUNCATE ON public.invalidation_audit
    FOR EACH STATEMENT EXECUTE FUNCTION freshet.keep_audit();

-- The only way by which audit rows leave. Ops may grant it to a role for a retention job of their own.
CREATE FUNCTION freshet.forget_audit(older_than timestamptz, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    deleted integer;
BEGIN
    INSERT INTO freshet.audit_retention (allowed_in, older_than) VALUES (pg_current_xact_id(), older_than);
    DELETE FROM public.invalidation_audit WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM public.invalidation_audit a WHERE a.timestamp < older_than ORDER BY a.timestamp LIMIT at_most));
    GET DIAGNOSTICS deleted = ROW_COUNT;
    IF deleted > 0 THEN
        INSERT INTO freshet.audit_forgotten AS f (older_than) VALUES (forget_audit.older_than)
        ON CONFLICT (only_one) DO UPDATE SET older_than = greatest(f.older_than, excluded.older_than);
    END IF;
    DELETE FROM freshet.audit_retention WHERE allowed_in = pg_current_xact_id();
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION freshet.forget_audit(timestamptz, integer) FROM PUBLIC;

-- Tamper evidence, off the way of every write: batches of rows whose transactions are over for good (by xid, so that a late commit is in no batch
-- that is closed already), each with its rows' digests, chained by their hashes. What was there before this version has no xid and is not covered.
ALTER TABLE public.invalidation_audit ADD COLUMN IF NOT EXISTS xid bigint;
ALTER TABLE public.invalidation_audit ALTER COLUMN xid SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX invalidation_audit_xid ON public.invalidation_audit USING brin (xid) WITH (pages_per_range = 16, autosummarize = on);   -- seal_audit, verify_audit
CREATE TABLE freshet.audit_seal (
    number    bigint      PRIMARY KEY,
    from_xid  bigint      NOT NULL,                                   -- included
    upto_xid  bigint      NOT NULL,                                   -- not included
    rows      integer     NOT NULL,
    oldest    timestamptz NOT NULL,
    digests   bytea       NOT NULL,                                   -- 32 bytes a row, in the order of xid and id
    previous  bytea       NOT NULL,
    hash      bytea       NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT every_row_has_its_digest CHECK (length(digests) = rows * 32)
);
CREATE TABLE freshet.audit_forgotten (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    older_than timestamptz NOT NULL                                   -- the retention has removed up to here
);

CREATE FUNCTION freshet.audit_digests(from_xid bigint, upto_xid bigint) RETURNS TABLE (xid bigint, id text, stamp timestamptz, digest bytea)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO' SET extra_float_digits = 1
AS $$
SELECT a.xid, a.id::text, a.timestamp::timestamptz, sha256(convert_to(jsonb_build_array(a.id::text, a.pattern, a.keys, a.triggered_by, a.timestamp, a.request_id,
    a.latency_ms, a.created_at, a.kind, a.target, a.outcome, a.status, a.detail)::text, 'UTF8'))
FROM public.invalidation_audit a WHERE a.xid >= from_xid AND a.xid < upto_xid
$$;

CREATE FUNCTION freshet.audit_seal_hash(s freshet.audit_seal) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT sha256(s.previous || int8send(s.number) || int8send(s.from_xid) || int8send(s.upto_xid) || s.digests) $$;

-- Closes one batch, if there are rows to close it over and nobody else does. Returns their number.
CREATE FUNCTION freshet.seal_audit(at_most integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    horizon CONSTANT bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    last    freshet.audit_seal;
    made    freshet.audit_seal;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7382087) THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM freshet.audit_seal ORDER BY number DESC LIMIT 1;
    made.number := coalesce(last.number, 0) + 1;
    made.from_xid := coalesce(last.upto_xid, 0);
    made.previous := coalesce(last.hash, '');
    -- the batch ends with the transaction of its last row
    SELECT coalesce(max(x), made.from_xid) + 1 INTO made.upto_xid FROM (
        SELECT xid AS x FROM public.invalidation_audit WHERE xid >= made.from_xid AND xid < horizon ORDER BY xid LIMIT at_most) oldest;
    SELECT count(*), min(stamp), string_agg(digest, '' ORDER BY xid, id) INTO made.rows, made.oldest, made.digests
    FROM freshet.audit_digests(made.from_xid, made.upto_xid);
    IF made.rows = 0 THEN
        RETURN 0;
    END IF;
    made.hash := freshet.audit_seal_hash(made);
    made.sealed_at := now();
    INSERT INTO freshet.audit_seal SELECT made.*;
    RETURN made.rows;
END $$;

-- What is wrong with one batch: null when it is as it was sealed, or when its rows were old enough to leave.
CREATE FUNCTION freshet.verify_audit(batch bigint, OUT rows integer, OUT hash bytea, OUT sealed_at timestamptz, OUT broken text, OUT broken_row text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seal freshet.audit_seal;
    before bytea;
    found_row record;
    n integer := 0;
BEGIN
    SELECT * INTO seal FROM freshet.audit_seal s WHERE s.number = batch;
    IF NOT FOUND THEN
        broken := 'the batch itself is missing';
        RETURN;
    END IF;
    rows := seal.rows;
    hash := seal.hash;
    sealed_at := seal.sealed_at;
    SELECT s.hash INTO before FROM freshet.audit_seal s WHERE s.number = batch - 1;
    IF before IS NULL AND batch = 1 THEN
        before := '';
    END IF;
    IF seal.hash <> freshet.audit_seal_hash(seal) OR before IS NOT NULL AND seal.previous <> before THEN
        broken := 'the seal itself was changed';
        RETURN;
    END IF;
    IF seal.oldest < (SELECT older_than FROM freshet.audit_forgotten) THEN
        RETURN;
    END IF;
    FOR found_row IN SELECT * FROM freshet.audit_digests(seal.from_xid, seal.upto_xid) d ORDER BY d.xid, d.id LOOP
        IF n = seal.rows OR substr(seal.digests, n * 32 + 1, 32) <> found_row.digest THEN
            broken_row := found_row.id;
            broken := CASE WHEN n < seal.rows AND position(found_row.digest IN substr(seal.digests, n * 32 + 1)) > 0
                           THEN 'one or more rows before this one were removed' ELSE 'this row was changed or added, or the one in its place removed' END;
            RETURN;
        END IF;
        n := n + 1;
    END LOOP;
    IF n < seal.rows THEN
        broken := format('the last %s rows of the batch were removed', seal.rows - n);
    END IF;
END $$;
REVOKE ALL ON FUNCTION freshet.audit_digests(bigint, bigint), freshet.audit_seal_hash(freshet.audit_seal), freshet.seal_audit(integer),
    freshet.verify_audit(bigint) FROM PUBLIC;

-- Tables that are new here start closed.
DO $$
BEGIN
    IF 'public.cache_entries'::regclass::oid > 'freshet.job_function'::regclass::oid THEN
        PERFORM freshet.settle_in('public.cache_entries', 'pg_class', 'the registry of application caches');
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.cache_entries TO service_role;
        END IF;
    END IF;
    PERFORM freshet.settle_in('public.cache_tag_rules', 'pg_class', 'which tags an entity''s change stands for', '{service_role}');
END $$;

-- One request to invalidate: its effect, its answer, its audit row and its event, all or none. The same request again finds the answer of the
-- first, waiting for it where it is still under way, and nothing else happens. "said", the answer, lacks only the time.
-- An entry stays known for a while, empty and out of date since for ever: a cache process may have filled its own copy again without a word.
-- Many keys are planned for each request: a plan that was made for two keys and an empty registry never ends with 100,000 keys and as many entries.
CREATE FUNCTION freshet.invalidate(wanted text[], of_pattern text, request text, said text, caller text, elapsed_ms double precision, remark text)
    RETURNS TABLE (told text, first_time boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_seqscan = on
AS $$
DECLARE
    ignored text;
BEGIN
    -- one plan for all calls with few keys: planning takes longer than all the rest. It looks up key by key, also when it was made for an empty
    -- table: therefore conditions instead of joins, and an order that no index has; either may read a whole index
    IF cardinality(wanted) <= 100 THEN
        ignored := set_config('plan_cache_mode', 'force_generic_plan', true);
        ignored := set_config('enable_seqscan', 'off', true);
    END IF;
    RETURN QUERY
    WITH input AS MATERIALIZED (
        SELECT to_jsonb(wanted) AS keys, nullif(of_pattern, '') AS pattern, clock_timestamp() AS at
    ), asked AS (
        INSERT INTO freshet.invalidation_request AS r (request_id, answer)
        SELECT request, left(said, -1) || ',"published_at":"' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"}' FROM input
        ON CONFLICT (request_id) DO UPDATE SET request_id = excluded.request_id
        RETURNING r.answer, r.xmax = 0 AS is_new
    ), held AS MATERIALIZED (
        SELECT e.cache_key, e.expires_at
        FROM public.cache_entries e
        WHERE e.cache_key = ANY (wanted) AND (SELECT is_new FROM asked)
        ORDER BY e.cache_key || '' FOR UPDATE OF e
    ), emptied AS (
        UPDATE public.cache_entries e SET expires_at = '-infinity', value = NULL, updated_at = now()
        WHERE e.cache_key = ANY (ARRAY(SELECT cache_key FROM held WHERE expires_at IS DISTINCT FROM '-infinity')) AND cardinality(wanted) <= 10000
    ), gone AS (
        DELETE FROM public.cache_entries e WHERE e.cache_key = ANY (ARRAY(SELECT cache_key FROM held)) AND cardinality(wanted) > 10000
    ), audited AS (
        INSERT INTO public.invalidation_audit (kind, pattern, keys, triggered_by, timestamp, request_id, latency_ms, detail)
        SELECT 'invalidation', pattern, keys, caller, at, request, elapsed_ms, remark FROM input, asked WHERE asked.is_new
    ), published AS (
        INSERT INTO freshet.publication (pattern, keys, triggered_by, request_id, published_at)
        SELECT coalesce(pattern, ''), keys, caller, request, at FROM input, asked WHERE asked.is_new
    )
    SELECT asked.answer, asked.is_new FROM asked;
END $$;
REVOKE ALL ON FUNCTION freshet.invalidate(text[], text, text, text, text, double precision, text) FROM PUBLIC;

-- A row of the audit as GET /audit/logs shows it, also of an adopted table whose times have no zone.
CREATE FUNCTION freshet.audit_as_json(a public.invalidation_audit) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT json_build_object('id', a.id, 'kind', a.kind, 'pattern', a.pattern, 'keys', coalesce(a.keys, '[]'), 'triggered_by', a.triggered_by,
    'timestamp', to_char(a.timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'request_id', a.request_id,
    'latency', a.latency_ms, 'target', a.target, 'outcome', a.outcome, 'status', a.status, 'detail', a.detail)::text
$$;
REVOKE ALL ON FUNCTION freshet.audit_as_json(public.invalidation_audit) FROM PUBLIC;
