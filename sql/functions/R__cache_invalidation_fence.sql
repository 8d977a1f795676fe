-- Is it out? SELECT cache_invalidation_fence() returns a token for the transaction. GET /api/fresh?after=TOKEN then
-- says whether everything that the transaction changes, before the call and after it, has been delivered to every
-- target.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_fence'); END $$;

-- A token is TRANSACTION-RANDOM-SIGNATURE. It names its transaction, because while that is open nobody else can see the
-- token's row. The signature is valid only in this database: in a copy, where transactions have other numbers, a token
-- is recognised by its row or not at all.
CREATE OR REPLACE FUNCTION freshet.fence_signature(signed text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text := (SELECT oid FROM pg_database WHERE datname = current_database())::text;
BEGIN
    IF has_function_privilege('pg_control_system()', 'EXECUTE') THEN
        place := place || ' ' || (SELECT system_identifier FROM pg_control_system());
    END IF;
    -- the secret on both sides, because whoever has a hash that only begins with it could extend the hash without the
    -- secret
    RETURN (SELECT left(encode(sha256(secret || convert_to(place || ' ' || signed, 'UTF8') || secret), 'hex'), 32)
            FROM freshet.fence_secret);
END $$;

-- The state of a token whose row cannot be seen: 'open' while its transaction is open, 'over' when that has ended, and
-- 'unknown' if this database did not issue it. Call this before you look for the row: what has committed meanwhile is
-- then found.
CREATE OR REPLACE FUNCTION freshet.fence_state(token text) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    piece CONSTANT text[] := regexp_match(token, '^([1-9][0-9]{0,18}-[0-9a-f]{16})-([0-9a-f]{32})$');
BEGIN
    IF piece IS NULL OR piece[2] <> freshet.fence_signature(piece[1]) THEN
        RETURN 'unknown';
    END IF;
    RETURN CASE WHEN freshet.is_open(split_part(token, '-', 1)::bigint) THEN 'open' ELSE 'over' END;
END $$;

-- PostgreSQL raises an error for a transaction still to come, which a token in a copy of the database may name.
CREATE OR REPLACE FUNCTION freshet.is_open(transaction bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(pg_xact_status(transaction::text::xid8) = 'in progress', false);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END $$;

CREATE OR REPLACE FUNCTION public.cache_invalidation_fence() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begun text := pg_current_xact_id()::text || '-';
    given text := current_setting('freshet.fence', true);      -- this transaction's; gone with a rolled-back savepoint
BEGIN
    IF given LIKE begun || '%' AND EXISTS (SELECT FROM freshet.fence WHERE token = given) THEN
        RETURN given;
    END IF;
    begun := begun || left(encode(uuid_send(gen_random_uuid()), 'hex'), 16);
    given := begun || '-' || freshet.fence_signature(begun);
    INSERT INTO freshet.fence (token) VALUES (given);
    PERFORM set_config('freshet.fence', given, true);
    RETURN given;
END $$;

-- At commit: determines what this transaction has written into the inbox and the queue. If a row can be seen although
-- its writer's transaction is in progress, the writer is this transaction or one of its savepoints. Those have numbers
-- above the transaction's (their age counts from there), and few rows of other transactions that began later can be
-- seen. xmin has 32 bits, so this compares distances.
--
-- Triggers that fire at commit after this one may write, too. So this looks again, after all triggers that are waiting
-- now, until two looks in a row have found nothing. It also looks again at commit if somebody made it look earlier (SET
-- CONSTRAINTS ALL IMMEDIATE): looks count only if they belong to one statement.
CREATE OR REPLACE FUNCTION freshet.note_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    top    CONSTANT bigint := pg_current_xact_id()::text::bigint;
    fence  freshet.fence;
    upto   CONSTANT bigint := coalesce(pg_sequence_last_value('freshet.inbox_id_seq'), 0);
    own    bigint[];
    noted  bigint := 0;
    queued bigint := 0;
    looks  smallint;
BEGIN
    SELECT * INTO fence FROM freshet.fence f WHERE f.id = NEW.id;
    own := ARRAY(SELECT x FROM (SELECT DISTINCT xmin::text::bigint FROM freshet.inbox
                                WHERE id > fence.noted_to AND age(xmin) <= 0) w(x)
                 WHERE freshet.is_own(x, top));
    IF own <> '{}' THEN
        INSERT INTO freshet.fence_inbox (inbox, fence, tag)
        SELECT i.id, fence.id, i.tag FROM freshet.inbox i
        WHERE i.id > fence.noted_to AND age(i.xmin) <= 0 AND i.tag IS NOT NULL AND i.xmin::text::bigint = ANY (own)
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS noted = ROW_COUNT;
    END IF;

    own := ARRAY(SELECT x FROM (
                     SELECT DISTINCT xmin::text::bigint FROM public.cache_invalidation_queue
                     WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
                       AND age(xmin) <= 0) w(x)
                 WHERE freshet.is_own(x, top));
    IF own <> '{}' THEN
        INSERT INTO freshet.fence_queue AS w (fence, tag, time_bucket, count)
        SELECT fence.id, q.tag, q.time_bucket, q.invalidation_count FROM public.cache_invalidation_queue q
        WHERE ((q.last_invalidated_at IS NULL AND q.handover IS NULL) OR q.invalidation_count > q.handed_count)
          AND q.xmin::text::bigint = ANY (own)
        ON CONFLICT ON CONSTRAINT fence_queue_pkey DO UPDATE SET count = excluded.count WHERE w.count < excluded.count;
        GET DIAGNOSTICS queued = ROW_COUNT;
    END IF;

    looks := CASE WHEN noted + queued = 0 AND fence.noted_at = statement_timestamp() THEN fence.quiet + 1 ELSE 0 END;
    IF looks < 2 THEN
        SET CONSTRAINTS freshet.note_changes DEFERRED;
        UPDATE freshet.fence f SET noted_at = statement_timestamp(), noted_to = upto, quiet = looks WHERE f.id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

-- Has no SET clauses, so that PostgreSQL can inline it into the look, which calls it for each writer.
CREATE OR REPLACE FUNCTION freshet.is_own(writer bigint, top bigint) RETURNS boolean
LANGUAGE sql VOLATILE
AS $$
SELECT CASE (writer - top % 4294967296 + 4294967296) % 4294967296 < 2147483648
           WHEN true THEN writer = top % 4294967296
                          OR freshet.is_open(top + (writer - top % 4294967296 + 4294967296) % 4294967296)
           ELSE false END
$$;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'freshet.fence'::regclass AND tgname = 'note_changes') THEN
        CREATE CONSTRAINT TRIGGER note_changes AFTER INSERT OR UPDATE OF quiet ON freshet.fence
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION freshet.note_changes();
    END IF;
END $$;

-- Whether a fence waits for something in the queue. It needs a snapshot of its own: an upsert by someone else that
-- committed while the hand-over ran is handed over with it (sql/queries/queue/hand-over.sql), and so is its
-- transaction's fence.
CREATE OR REPLACE FUNCTION freshet.fences_wait() RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN EXISTS (SELECT FROM freshet.fence_queue); END $$;

REVOKE ALL ON FUNCTION freshet.fence_signature(text), freshet.fence_state(text), freshet.is_open(bigint),
    freshet.note_changes(), freshet.is_own(bigint, bigint), freshet.fences_wait() FROM PUBLIC;

-- Whoever may queue tags may ask whether they are out.
DO $$
DECLARE
    is_new  CONSTANT boolean := NOT freshet.is_ours('public.cache_invalidation_fence()'::regprocedure, 'pg_proc');
    grantee text;
BEGIN
    PERFORM freshet.settle_in('public.cache_invalidation_fence()', 'pg_proc',
        'a token for what the caller''s transaction changes: GET /api/fresh says when it is out', '{service_role}');
    FOR grantee IN
        SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM pg_proc p, aclexplode(p.proacl) a
        WHERE is_new AND p.oid = to_regprocedure('public.enqueue_cache_invalidation(text[])')
            AND a.privilege_type = 'EXECUTE'
          AND a.grantee <> p.proowner
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION public.cache_invalidation_fence() TO %s', grantee);
    END LOOP;
END $$;
