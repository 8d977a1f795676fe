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

REVOKE ALL ON FUNCTION freshet.fence_signature(text), freshet.fence_state(text) FROM PUBLIC;

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
