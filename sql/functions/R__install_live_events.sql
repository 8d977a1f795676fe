-- SELECT install_live_events(): from now on, changes of art, votes, bids and art_media become live events. Another call
-- replaces the triggers.
DO $$ BEGIN PERFORM freshet.step_aside('install_live_events'); END $$;

-- Rights: the trigger functions read art and events, whose index expressions and policies may be anyone's code. So they
-- belong to the tables' owner and run with the owner's rights (SECURITY DEFINER: writers need none). From Freshet, the
-- owner gets only INSERT on the outbox, and the right to see whether an instance is asleep. Freshet's role reads none
-- of these tables.

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
