-- SELECT live_events_off(): changes no longer become live events. SELECT install_live_events() turns them on again.
DO $$ BEGIN PERFORM freshet.step_aside('live_events_off'); END $$;

CREATE OR REPLACE FUNCTION public.live_events_off() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ours    record;
    dropped integer := 0;
BEGIN
    FOR ours IN
        SELECT t.tgname, t.tgrelid::regclass AS relation FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE p.pronamespace = 'public'::regnamespace AND p.proname ~ '^freshet_live_'
          AND t.tgparentid = 0
        ORDER BY 1
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', ours.tgname, ours.relation);
        dropped := dropped + 1;
    END LOOP;
    IF dropped = 0 THEN
        RAISE NOTICE 'live events were off already';
    END IF;
END $$;

DO $$
BEGIN
    PERFORM freshet.settle_in('public.live_events_off()', 'pg_proc',
        'drops the triggers of install_live_events(); the tables'' owner may call this');
END $$;
