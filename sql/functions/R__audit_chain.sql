-- Extends, shortens and verifies the chain of seals over the audit (sql/migrations/V8__audit_seals.sql).

CREATE OR REPLACE FUNCTION freshet.audit_digests(from_xid bigint, upto_xid bigint)
    RETURNS TABLE (xid bigint, id text, stamp timestamptz, digest bytea)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET "TimeZone" = 'UTC' SET "DateStyle" = 'ISO' SET extra_float_digits = 1
AS $$
SELECT a.xid, a.id::text COLLATE "C", a.timestamp::timestamptz,
       sha256(convert_to(jsonb_build_array(a.id::text, a.pattern, a.keys, a.triggered_by, a.timestamp, a.request_id,
           a.latency_ms, a.created_at, a.kind, a.target, a.outcome, a.status, a.detail)::text, 'UTF8'))
FROM public.invalidation_audit a WHERE a.xid >= from_xid AND a.xid < upto_xid
$$;

CREATE OR REPLACE FUNCTION freshet.audit_seal_hash(s freshet.audit_seal) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT sha256(s.previous || int8send(s.number) || int8send(s.from_xid) || int8send(s.upto_xid)
    || s.digests || array_send(s.stamps))
$$;

-- Only one transaction at a time extends the chain or shortens it at its start. The lock's number differs from that in
-- queries/stats/take-stats-turn.sql, or sealing and stats jobs would keep each other waiting.
CREATE OR REPLACE FUNCTION freshet.holds_the_audit_chain() RETURNS boolean
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN pg_try_advisory_xact_lock(7382088);

-- Seals one batch, if there are rows to seal and nobody else is doing it. Returns the number of rows.
CREATE OR REPLACE FUNCTION freshet.seal_audit(at_most integer) RETURNS integer
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

-- Deletes seals all of whose rows the retention has removed: the oldest first, and never the newest, because the next
-- one continues from it. The hash of the last seal that was deleted is kept, so that the oldest one left can be
-- verified.
CREATE OR REPLACE FUNCTION freshet.forget_audit_seals(at_most integer) RETURNS integer
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

-- What is wrong with one batch. Null if every row is as it was sealed, or is gone and was old enough to be removed.
CREATE OR REPLACE FUNCTION freshet.verify_audit(batch bigint,
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
