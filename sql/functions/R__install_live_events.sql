-- SELECT install_live_events(): from now on, changes of art, votes, bids and art_media become live events. Another call
-- replaces the triggers.
DO $$ BEGIN PERFORM freshet.step_aside('install_live_events'); END $$;

-- Rights: the trigger functions read art and events, whose index expressions and policies may be anyone's code. So they
-- belong to the tables' owner and run with the owner's rights (SECURITY DEFINER: writers need none). From Freshet, the
-- owner gets only INSERT on the outbox, and the right to see whether an instance is asleep. Freshet's role reads none
-- of these tables.

CREATE OR REPLACE FUNCTION freshet.must_own_live_tables() RETURNS regrole
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing text := '';
    owner   regrole;
    other   record;
    needed  record;
BEGIN
    FOREACH missing IN ARRAY ARRAY['events', 'art'] LOOP
        IF NOT EXISTS (SELECT FROM pg_class
                       WHERE relnamespace = 'public'::regnamespace AND relname = missing AND relkind IN ('r', 'p')) THEN
            RAISE EXCEPTION 'there is no table public.%: live events need events(id, eid) '
                            'and art(id, event_id, round, easel, status, description)', missing
                USING ERRCODE = 'undefined_table', HINT = 'Make it, then call install_live_events() again.';
        END IF;
    END LOOP;
    FOR other IN
        SELECT c.oid::regclass AS name, c.relowner::regrole AS owner FROM pg_class c
        WHERE relnamespace = 'public'::regnamespace AND relname IN ('events', 'art', 'votes', 'bids', 'art_media')
          AND relkind IN ('r', 'p')
        ORDER BY array_position(ARRAY['events', 'art', 'votes', 'bids', 'art_media'], relname::text)
    LOOP
        owner := coalesce(owner, other.owner);
        IF NOT pg_has_role(other.owner, 'USAGE') THEN
            RAISE EXCEPTION 'only the owner of % may have its changes sent', other.name
                USING ERRCODE = 'insufficient_privilege',
                HINT = format('Ask %s to call this.', other.owner);
        ELSIF other.owner <> owner THEN
            RAISE EXCEPTION '% belongs to %, but public.events to %: one role has to own them all',
                    other.name, other.owner, owner
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('ALTER TABLE %s OWNER TO %s', other.name, owner);
        END IF;
    END LOOP;
    FOR needed IN
        SELECT t AS table_name, c AS column_name
        FROM (VALUES ('events', '{id,eid}'::text[]), ('art', '{id,event_id,round,easel,status,description}'),
                     ('votes', '{art_id}'),
                     ('bids', '{art_id,amount}'), ('art_media', '{artwork_id}')) v(t, cs) CROSS JOIN unnest(cs) c
        WHERE to_regclass('public.' || t) IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = to_regclass('public.' || t) AND attname = c AND attnum > 0 AND NOT attisdropped)
    LOOP
        RAISE EXCEPTION 'public.% has no column %', needed.table_name, needed.column_name
            USING ERRCODE = 'undefined_column',
                  HINT = 'Live events need events(id, eid), art(id, event_id, round, easel, status, description), '
                         'votes(art_id), bids(art_id, amount) and art_media(artwork_id).';
    END LOOP;
    RETURN owner;
END $$;

CREATE OR REPLACE FUNCTION freshet.open_live_outbox(asked_for regrole) RETURNS regrole
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- not the argument, because anyone may call this
    owner CONSTANT regrole := (SELECT relowner FROM pg_class WHERE oid = to_regclass('public.events'));
BEGIN
    PERFORM freshet.let_in_owner('public.events'::regclass);
    IF NOT has_table_privilege(owner, 'freshet.live_outbox', 'INSERT') THEN
        EXECUTE format('GRANT INSERT ON freshet.live_outbox TO %s', owner);
    END IF;
    IF NOT has_sequence_privilege(owner, 'freshet.asleep_until', 'SELECT') THEN
        EXECUTE format('GRANT SELECT ON SEQUENCE freshet.asleep_until TO %s', owner);
    END IF;
    RETURN owner;
END $$;

-- A reference to an artwork, for comparison with art.id: as it is if PostgreSQL can compare the two, otherwise through
-- text.
CREATE OR REPLACE FUNCTION freshet.live_reference(of regclass, col name) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('SELECT FROM public.art a JOIN %s n ON a.id = n.%I LIMIT 0', of, col);
    RETURN '%s.' || quote_ident(col);
EXCEPTION WHEN undefined_function THEN
    RETURN '%s.' || quote_ident(col) || '::text::'
        || (SELECT format_type(atttypid, atttypmod)
            FROM pg_attribute WHERE attrelid = 'public.art'::regclass AND attname = 'id');
END $$;

-- Writes the body of a trigger function; `selection` selects (eid, detail) into arrays. That part only reads, so its
-- own block costs no transaction id. What goes wrong there is a warning, never an error of the user's statement.
CREATE OR REPLACE FUNCTION freshet.write_live_function(name text, type text, operation text, selection text)
    RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    grantee text;
BEGIN
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
                 THEN date_part('epoch', now()) < pg_sequence_last_value('freshet.asleep_until'::regclass) END) THEN
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

CREATE OR REPLACE FUNCTION freshet.install_live(owner regrole) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before  CONSTANT text := current_setting('role');
    by_id   CONSTANT text := ' LEFT JOIN LATERAL (SELECT a.event_id, a.round, a.easel'
                             ' FROM public.art a WHERE a.id = %s LIMIT 1) a ON true'
                             ' LEFT JOIN LATERAL (SELECT e.eid'
                             ' FROM public.events e WHERE e.id = a.event_id LIMIT 1) e ON true';
    trigger record;
    former  record;
BEGIN
    -- whoever calls this, even a superuser: the functions get the owner's rights and no others
    IF pg_get_userbyid(owner) <> current_user THEN
        PERFORM set_config('role', pg_get_userbyid(owner), true);
    END IF;
    IF NOT has_schema_privilege('public', 'CREATE') THEN
        RAISE EXCEPTION '% may not create functions in schema public', owner USING ERRCODE = 'insufficient_privilege',
            HINT = format('GRANT CREATE ON SCHEMA public TO %s', owner);
    END IF;
    FOR trigger IN
        SELECT t.*, to_regclass('public.' || t.relation) AS table_id
        FROM (VALUES ('art', 'art', 'art_updated', 'AFTER UPDATE',
                      'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT'),
                     ('votes', 'votes', 'vote_cast', 'AFTER INSERT',
                      'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT'),
                     ('bids', 'bids', 'bid_placed', 'AFTER INSERT',
                      'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT'),
                     ('media', 'art_media', 'media_updated', 'AFTER INSERT OR UPDATE',
                      'FOR EACH ROW')) t(short, relation, type, event, level)
    LOOP
        IF trigger.table_id IS NULL THEN
            RAISE NOTICE 'there is no table public.%: no % until it is there and install_live_events() is called again',
                trigger.relation, trigger.type;
            CONTINUE;
        END IF;
        PERFORM freshet.write_live_function('freshet_live_' || trigger.short, trigger.type,
            CASE trigger.short WHEN 'media' THEN 'TG_OP' ELSE 'NULL' END,
            -- LATERAL and LIMIT make these look-ups use an index, however large the statement was for which the session
            -- planned them
            CASE trigger.short
                WHEN 'art' THEN
                    'SELECT array_agg(left(e.eid::text, 41)),'
                    ' array_agg(json_build_object(''art_id'', c.id, ''round'', a.round, ''easel'', a.easel))'
                    ' INTO eids, details'
                    ' FROM (SELECT n.id, n.status::text, n.description::text FROM new_rows n'
                    ' EXCEPT SELECT o.id, o.status::text, o.description::text FROM old_rows o) c'
                    || format(by_id, 'c.id')
                WHEN 'media' THEN
                    'SELECT ARRAY[left(e.eid::text, 41)],'
                    ' ARRAY[json_build_object(''artwork_id'', NEW.artwork_id)]'
                    ' INTO eids, details FROM (SELECT) one'
                    || format(by_id, format(freshet.live_reference(trigger.table_id, 'artwork_id'), 'NEW'))
                ELSE
                    'SELECT array_agg(left(e.eid::text, 41)),'
                    ' array_agg(json_build_object(''art_id'', n.art_id, ''round'', a.round, ''easel'', a.easel'
                    || CASE trigger.short WHEN 'bids' THEN ', ''amount'', n.amount' ELSE '' END
                    || ')) INTO eids, details FROM new_rows n'
                    || format(by_id, format(freshet.live_reference(trigger.table_id, 'art_id'), 'n')) END);
        FOR former IN
            SELECT t.tgname, t.tgfoid::regprocedure AS calls, t.tgconstraint <> 0 AS is_constraint FROM pg_trigger t
            WHERE t.tgrelid = trigger.table_id AND t.tgname = format('cache_invalidate_%s_trigger', trigger.short)
              AND t.tgfoid <> to_regprocedure(format('public.freshet_live_%s()', trigger.short))
        LOOP
            IF former.is_constraint THEN
                EXECUTE format('DROP TRIGGER %I ON %s', former.tgname, trigger.table_id);
            END IF;
            RAISE NOTICE 'trigger % on public.% called %, which is left as it is: '
                         'from now on the trigger is Freshet''s', former.tgname, trigger.relation, former.calls;
        END LOOP;
        EXECUTE format('CREATE OR REPLACE TRIGGER cache_invalidate_%1$s_trigger %2$s ON %3$s %4$s'
                       ' EXECUTE FUNCTION public.freshet_live_%1$s()',
            trigger.short, trigger.event, trigger.table_id, trigger.level);
    END LOOP;
    PERFORM set_config('role', before, true);
END $$;

-- RETURN binds the inner functions now, so that no caller needs USAGE on schema freshet to get here; open_live_outbox
-- grants it to the owner.
CREATE OR REPLACE FUNCTION public.install_live_events() RETURNS void
LANGUAGE sql VOLATILE
RETURN freshet.install_live(freshet.open_live_outbox(freshet.must_own_live_tables()));

DO $$
BEGIN
    PERFORM freshet.settle_in('public.install_live_events()', 'pg_proc',
        'sends changes of art, votes, bids and art_media to live pages; their owner may call this');
END $$;
