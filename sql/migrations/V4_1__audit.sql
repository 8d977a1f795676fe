-- An audit that nobody rewrites: what V1_3 adopted or made may be added to, and that is all (freshet.keep_audit()).
-- The indexes first: they hold no lock that anybody else than writers of the audit waits for.
CREATE INDEX IF NOT EXISTS invalidation_audit_newest ON public.invalidation_audit (timestamp DESC);  -- forget_audit
CREATE INDEX invalidation_audit_listed ON public.invalidation_audit (timestamp DESC)   -- GET /audit/logs
    WHERE kind IS NULL OR kind IN ('invalidation', 'no-target')
       OR kind = 'delivery' AND outcome IN ('delivered', 'dead');
CREATE INDEX invalidation_audit_request ON public.invalidation_audit USING hash (request_id);   -- ?request_id=
CREATE INDEX invalidation_audit_pattern ON public.invalidation_audit USING hash (pattern);      -- ?pattern=

-- Written by freshet.forget_audit() and seen only inside its transaction: what may leave, and nothing younger.
CREATE TABLE freshet.audit_retention (
    allowed_in  xid8        PRIMARY KEY,
    older_than  timestamptz NOT NULL
);
CREATE FUNCTION freshet.keep_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE'
            AND EXISTS (SELECT FROM freshet.audit_retention WHERE allowed_in = pg_current_xact_id_if_assigned()) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'public.invalidation_audit is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Old rows leave by themselves after FRESHET_AUDIT_RETENTION.';
END $$;
REVOKE ALL ON FUNCTION freshet.keep_audit() FROM PUBLIC;
CREATE TRIGGER freshet_keep_audit BEFORE UPDATE OR DELETE OR TRUNCATE ON public.invalidation_audit
    FOR EACH STATEMENT EXECUTE FUNCTION freshet.keep_audit();

-- The only way by which audit rows leave. Ops may grant it to a role for a retention job of their own.
-- Times without a zone, of an adopted table, are read alike here and where rows are sealed.
CREATE FUNCTION freshet.forget_audit(older_than timestamptz, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC'
AS $$
DECLARE
    deleted integer;
BEGIN
    INSERT INTO freshet.audit_retention (allowed_in, older_than) VALUES (pg_current_xact_id(), older_than);
    DELETE FROM public.invalidation_audit WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM public.invalidation_audit a
        WHERE a.timestamp < older_than ORDER BY a.timestamp LIMIT at_most));
    GET DIAGNOSTICS deleted = ROW_COUNT;
    IF deleted > 0 THEN
        INSERT INTO freshet.audit_forgotten AS f (older_than) VALUES (forget_audit.older_than)
        ON CONFLICT (only_one) DO UPDATE SET older_than = greatest(f.older_than, excluded.older_than);
    END IF;
    DELETE FROM freshet.audit_retention WHERE allowed_in = pg_current_xact_id();
    PERFORM freshet.forget_audit_seals(100);
    RETURN deleted;
END $$;
REVOKE ALL ON FUNCTION freshet.forget_audit(timestamptz, integer) FROM PUBLIC;

-- Tamper evidence, off the way of every write: batches of rows whose transactions are over for good (by xid, so that a
-- late commit is in no batch that is closed already), each with its rows' digests, chained by their hashes. What was
-- there before has no xid and is not covered.
ALTER TABLE public.invalidation_audit ALTER COLUMN xid SET DEFAULT pg_current_xact_id()::text::bigint;
CREATE INDEX invalidation_audit_xid ON public.invalidation_audit USING brin (xid)       -- seal_audit, verify_audit
    WITH (pages_per_range = 16, autosummarize = on);
CREATE TABLE freshet.audit_seal (
    number    bigint        PRIMARY KEY,
    from_xid  bigint        NOT NULL,                                 -- included
    upto_xid  bigint        NOT NULL,                                 -- not included
    rows      integer       NOT NULL,
    digests   bytea         NOT NULL,                                 -- 32 bytes a row, in the order of xid and id
    stamps    timestamptz[] NOT NULL,                                 -- each row's time: was a missing one old enough?
    newest    timestamptz   NOT NULL,                                 -- of the stamps
    previous  bytea         NOT NULL,
    hash      bytea         NOT NULL,
    sealed_at timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT every_row_has_its_digest CHECK (length(digests) = rows * 32),
    CONSTRAINT every_row_has_its_stamp CHECK (cardinality(stamps) = rows)
);
CREATE TABLE freshet.audit_forgotten (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    older_than timestamptz NOT NULL,                                  -- the retention has removed rows up to here
    seals_upto bigint      NOT NULL DEFAULT 0,                        -- and the seals up to this one,
    last_hash  bytea       NOT NULL DEFAULT ''                        -- whose hash the next one names
);

CREATE FUNCTION freshet.audit_digests(from_xid bigint, upto_xid bigint)
    RETURNS TABLE (xid bigint, id text, stamp timestamptz, digest bytea)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO' SET extra_float_digits = 1
AS $$
SELECT a.xid, a.id::text COLLATE "C", a.timestamp::timestamptz,
       sha256(convert_to(jsonb_build_array(a.id::text, a.pattern, a.keys, a.triggered_by, a.timestamp, a.request_id,
           a.latency_ms, a.created_at, a.kind, a.target, a.outcome, a.status, a.detail)::text, 'UTF8'))
FROM public.invalidation_audit a WHERE a.xid >= from_xid AND a.xid < upto_xid
$$;

CREATE FUNCTION freshet.audit_seal_hash(s freshet.audit_seal) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT sha256(s.previous || int8send(s.number) || int8send(s.from_xid) || int8send(s.upto_xid)
    || s.digests || array_send(s.stamps))
$$;

-- Whoever lengthens the chain at one end or shortens it at the other. Another number than that of
-- queries/stats/take-stats-turn.sql, or sealing and stats jobs would keep each other waiting.
CREATE FUNCTION freshet.holds_the_audit_chain() RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN pg_try_advisory_xact_lock(7382088);

-- Closes one batch, if there are rows to close it over and nobody else does. Returns their number.
CREATE FUNCTION freshet.seal_audit(at_most integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    horizon CONSTANT bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    last    freshet.audit_seal;
    made    freshet.audit_seal;
BEGIN
    IF NOT freshet.holds_the_audit_chain() THEN
        RETURN 0;
    END IF;
    SELECT * INTO last FROM freshet.audit_seal ORDER BY number DESC LIMIT 1;
    made.number := coalesce(last.number, 0) + 1;
    made.from_xid := coalesce(last.upto_xid, 0);
    made.previous := coalesce(last.hash, '');
    -- the batch ends with the transaction of its last row
    SELECT coalesce(max(x), made.from_xid) + 1 INTO made.upto_xid FROM (
        SELECT xid AS x FROM public.invalidation_audit
        WHERE xid >= made.from_xid AND xid < horizon ORDER BY xid LIMIT at_most) oldest;
    SELECT count(*), max(stamp), string_agg(digest, '' ORDER BY xid, id), array_agg(stamp ORDER BY xid, id)
    INTO made.rows, made.newest, made.digests, made.stamps
    FROM freshet.audit_digests(made.from_xid, made.upto_xid);
    IF made.rows = 0 THEN
        RETURN 0;
    END IF;
    made.hash := freshet.audit_seal_hash(made);
    made.sealed_at := now();
    INSERT INTO freshet.audit_seal SELECT made.*;
    RETURN made.rows;
END $$;

-- A seal goes when the retention has removed all of its rows: the oldest first, and never the newest, which the next
-- one goes on from. The hash of the last one that went stays, so that the oldest one left can be held against it.
CREATE FUNCTION freshet.forget_audit_seals(at_most integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    oldest    freshet.audit_seal;
    forgotten integer := 0;
BEGIN
    IF NOT freshet.holds_the_audit_chain() THEN
        RETURN 0;
    END IF;
    WHILE forgotten < at_most LOOP
        SELECT * INTO oldest FROM freshet.audit_seal ORDER BY number LIMIT 1;
        EXIT WHEN NOT FOUND OR oldest.number = (SELECT max(number) FROM freshet.audit_seal)
            OR coalesce(oldest.newest >= (SELECT older_than FROM freshet.audit_forgotten), true)
            OR EXISTS (SELECT FROM public.invalidation_audit WHERE xid >= oldest.from_xid AND xid < oldest.upto_xid);
        DELETE FROM freshet.audit_seal WHERE number = oldest.number;
        UPDATE freshet.audit_forgotten SET seals_upto = oldest.number, last_hash = oldest.hash;
        forgotten := forgotten + 1;
    END LOOP;
    RETURN forgotten;
END $$;

-- What is wrong with one batch: null when every row is as it was sealed, or is gone and was old enough to leave.
CREATE FUNCTION freshet.verify_audit(batch bigint,
    OUT rows integer, OUT hash bytea, OUT sealed_at timestamptz, OUT broken text, OUT broken_row text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    seal      freshet.audit_seal;
    forgotten freshet.audit_forgotten;
    before    bytea;
    removed   bigint;
BEGIN
    SELECT * INTO seal FROM freshet.audit_seal s WHERE s.number = batch;
    IF NOT FOUND THEN
        broken := 'the batch itself is missing';
        RETURN;
    END IF;
    SELECT * INTO forgotten FROM freshet.audit_forgotten;
    rows := seal.rows;
    hash := seal.hash;
    sealed_at := seal.sealed_at;
    SELECT s.hash INTO before FROM freshet.audit_seal s WHERE s.number = batch - 1;
    IF before IS NULL AND batch = coalesce(forgotten.seals_upto, 0) + 1 THEN
        before := coalesce(forgotten.last_hash, '');
    END IF;
    IF seal.hash <> freshet.audit_seal_hash(seal) OR before IS NOT NULL AND seal.previous <> before THEN
        broken := 'the seal itself was changed';
        RETURN;
    END IF;
    WITH found AS MATERIALIZED (
        SELECT d.digest, d.id, row_number() OVER (ORDER BY d.xid, d.id) AS place
        FROM freshet.audit_digests(seal.from_xid, seal.upto_xid) d
    ), sealed AS MATERIALIZED (
        SELECT substr(seal.digests, (n - 1) * 32 + 1, 32) AS digest, seal.stamps[n] AS stamp, n AS place
        FROM generate_series(1, seal.rows) n
    ), changed AS (
        SELECT id FROM found WHERE digest NOT IN (SELECT digest FROM sealed) ORDER BY place LIMIT 1
    ), missing AS (
        SELECT place FROM sealed
        WHERE coalesce(stamp >= forgotten.older_than, true) AND digest NOT IN (SELECT digest FROM found)
        ORDER BY place LIMIT 1
    ), after AS (
        SELECT f.id FROM found f JOIN sealed s USING (digest)
        WHERE s.place > (SELECT place FROM missing) ORDER BY s.place LIMIT 1
    )
    SELECT coalesce((SELECT id FROM changed), (SELECT id FROM after)),
           CASE WHEN EXISTS (SELECT FROM changed) THEN 'this row was changed or added'
                WHEN EXISTS (SELECT FROM after) THEN 'one or more rows before this one were removed'
                WHEN EXISTS (SELECT FROM missing) THEN 'the last rows of the batch were removed' END
    INTO broken_row, broken;
END $$;
REVOKE ALL ON FUNCTION freshet.audit_digests(bigint, bigint), freshet.audit_seal_hash(freshet.audit_seal),
    freshet.seal_audit(integer), freshet.verify_audit(bigint), freshet.holds_the_audit_chain(),
    freshet.forget_audit_seals(integer) FROM PUBLIC;

-- A row of the audit as GET /audit/logs shows it, with whole milliseconds and a pattern that is a string, also of an
-- adopted table whose times have no zone and whose milliseconds are of another type.
CREATE FUNCTION freshet.audit_as_json(a public.invalidation_audit) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT json_build_object('id', a.id, 'kind', a.kind, 'pattern', coalesce(a.pattern::text, ''),
    'keys', coalesce(a.keys, '[]'), 'triggered_by', a.triggered_by,
    'timestamp', to_char(a.timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'request_id', a.request_id,
    'latency', CASE WHEN a.latency_ms BETWEEN -9e15 AND 9e15 THEN round(a.latency_ms)::bigint END,
    'target', a.target, 'outcome', a.outcome, 'status', a.status, 'detail', a.detail)::text
$$;
REVOKE ALL ON FUNCTION freshet.audit_as_json(public.invalidation_audit) FROM PUBLIC;
