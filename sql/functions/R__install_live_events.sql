-- SELECT install_live_events(): from now on, changes of the tables in R__install_live_0_0_types become live events.
-- Another call replaces the triggers.
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
        FROM jsonb_to_recordset(freshet.live_types())
            t(place integer, relation text, short text, type text, event text, level text, operation text,
              changed text, row_name text, artwork name, members text)
        WHERE t.short IS NOT NULL ORDER BY t.place
    LOOP
        IF trigger.table_id IS NULL THEN
            RAISE NOTICE 'there is no table public.%: no % until it is there and install_live_events() is called again',
                trigger.relation, trigger.type;
            CONTINUE;
        END IF;
        -- LATERAL and LIMIT make these look-ups use an index, however large the statement was for which the session
        -- planned them
        PERFORM freshet.write_live_function('freshet_live_' || trigger.short, trigger.type, trigger.operation,
            'SELECT array_agg(left(e.eid::text, 41)), array_agg(json_build_object(' || trigger.members || '))'
            ' INTO eids, details FROM ' || trigger.changed
            || format(by_id, format(freshet.live_reference(trigger.table_id, trigger.artwork), trigger.row_name)));
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
        format('sends changes of %s to live pages; their owner may call this',
            (SELECT regexp_replace(string_agg(relation, ', ' ORDER BY place), '(.*), ', '\1 and ')
             FROM jsonb_to_recordset(freshet.live_types()) t(place integer, relation text, short text)
             WHERE short IS NOT NULL)));
END $$;
