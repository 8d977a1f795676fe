-- Rows may only be added to the audit. Old rows leave in one way only.

-- An adopted audit table may refuse a row (by a constraint of its own). Then the transaction does its work without that
-- row; Freshet counts and logs this, and nothing else waits for it. The transaction that does so sets this for itself.
CREATE OR REPLACE FUNCTION freshet.audits() RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT coalesce(current_setting('freshet.audit', true), '') <> 'off' $$;
REVOKE ALL ON FUNCTION freshet.audits() FROM PUBLIC;

CREATE OR REPLACE FUNCTION freshet.keep_audit() RETURNS trigger
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

-- Here and not in a migration, because the function has to exist first.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'public.invalidation_audit'::regclass
                   AND tgname = 'freshet_keep_audit') THEN
        CREATE TRIGGER freshet_keep_audit BEFORE UPDATE OR DELETE OR TRUNCATE ON public.invalidation_audit
            FOR EACH STATEMENT EXECUTE FUNCTION freshet.keep_audit();
    END IF;
END $$;

-- The only way in which audit rows leave. Operators may grant it to a role for a retention job of their own. Rows that
-- existed when the table was adopted (they have no xid) are not Freshet's to remove, and stay. Times without a zone, in
-- an adopted table, are read in the same way here as where rows are sealed.
CREATE OR REPLACE FUNCTION freshet.forget_audit(older_than timestamptz, at_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET "TimeZone" = 'UTC'
AS $$
DECLARE
    deleted integer;
BEGIN
    INSERT INTO freshet.audit_retention (allowed_in, older_than) VALUES (pg_current_xact_id(), older_than);
    DELETE FROM public.invalidation_audit WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM public.invalidation_audit a
        WHERE a.timestamp < older_than AND a.xid IS NOT NULL ORDER BY a.timestamp LIMIT at_most));
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
