-- The trigger functions of live events: generated, one for each table.

-- Writes the body of a trigger function; `selection` selects (eid, detail) into arrays. That part only reads, so its
-- own block costs no transaction id. What goes wrong there is a warning, never an error of the user's statement.
CREATE OR REPLACE FUNCTION freshet.write_live_function(name text, type text, operation text, selection text)
    RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    grantee text;
    theirs  regrole;
BEGIN
    -- CREATE OR REPLACE would leave it to its owner, who could then replace what it does
    SELECT proowner INTO theirs FROM pg_proc
    WHERE oid = to_regprocedure(format('public.%I()', name)) AND proowner <> to_regrole(quote_ident(current_user));
    IF FOUND THEN
        RAISE EXCEPTION 'the function public.%() belongs to %, but the tables to %', name, theirs, current_user
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Drop it, or: ALTER FUNCTION public.%I() OWNER TO %I', name, current_user);
    END IF;
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION public.%1$I() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
    reachable boolean;
    eids      text[];
    details   json[];
BEGIN
    BEGIN
        reachable := has_table_privilege('freshet.live_outbox', 'INSERT');
        %4$s;
    EXCEPTION
        WHEN serialization_failure OR deadlock_detected THEN
            RAISE;
        WHEN OTHERS THEN
            eids := ARRAY[NULL];
            RAISE WARNING 'Freshet could not tell live pages of this %% of %%: %%', TG_OP, TG_RELID::regclass, SQLERRM
                USING HINT = 'SELECT install_live_events() mends what ALTER TABLE has changed; '
                             'DROP TRIGGER ' || TG_NAME || ' turns it off.';
    END;
    IF reachable AND eids IS NOT NULL THEN
        INSERT INTO freshet.live_outbox (type, operation, event_eid, detail)
        SELECT %2$L, %3$s, f.* FROM unnest(eids, details) f;
        -- an instance that sleeps; without the right to read that, its poll finds the event
        IF (CASE WHEN has_sequence_privilege('freshet.asleep_until', 'SELECT')
                 THEN freshet.must_wake() END) THEN
            PERFORM pg_notify('freshet_live', '');
        END IF;
    END IF;
    RETURN NULL;
END
$body$ $function$, name, type, operation, selection);
    -- a trigger function can be called only as a trigger; even so, nobody needs the right to call it
    FOR grantee IN
        SELECT DISTINCT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
        FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.oid = to_regprocedure(format('public.%I()', name)) AND a.grantee <> p.proowner
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION public.%I() FROM %s', name, grantee);
    END LOOP;
    EXECUTE format('COMMENT ON FUNCTION public.%I() IS %L', name, 'Freshet: tells live pages, ' || type);
END $generator$;
