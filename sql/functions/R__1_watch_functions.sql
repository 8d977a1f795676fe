-- Generates the trigger functions of one watch: static SQL with cached plans, owned by Freshet, SECURITY DEFINER so
-- that writers need no rights on Freshet's objects. Measured per single-row UPDATE (one client, in addition to the bare
-- 4 µs): a constant INSERT costs 10 µs, these functions 14 to 16 µs, and the join of old and new rows, needed only for
-- several rows, 25 to 30 µs. bench/writers.sh measures them under load.
--
-- The search_path is pinned at each call, which takes a fifth of what 32 writers lose; decision 164 says what happens
-- without. It has freshet before pg_temp for the sake of old_rows and new_rows (R__0_watch_statements).

-- Creates the functions that are missing and replaces those that are out of date (a column has gone or changed its
-- type). Returns whether there were any.
CREATE OR REPLACE FUNCTION freshet.write_watch_functions(watch_number integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    w        freshet.watch;
    usable   text[];
    needed   text[];       -- the columns that these use
    image    text;         -- decides whether a row has changed
    old_tags text;         -- expressions over the rows o and n
    new_tags text;
    bodies   text[];
    settings text;
    name     text;
    version  text;
    written  boolean := false;
BEGIN
    SELECT * INTO STRICT w FROM freshet.watch WHERE number = watch_number;
    usable := freshet.usable_templates(w);
    needed := freshet.columns_in(usable);
    image := freshet.row_image(w, needed);
    old_tags := freshet.tags_of(w, 'o');
    new_tags := freshet.tags_of(w, 'n');
    bodies[1] := freshet.body_for_statements(image, old_tags, new_tags,
        freshet.tags_of_changed_rows(image, needed, old_tags, new_tags), coalesce(cardinality(usable) = 1, false));
    bodies[2] := freshet.body_for_rows(image, freshet.tags_of(w, 'old'), freshet.tags_of(w, 'new'));
    bodies[3] := freshet.body_for_truncate(old_tags);
    settings := ' SET search_path = pg_catalog, freshet, pg_temp' || freshet.rendering_settings(w.watched, needed);
    FOR part IN 1..3 LOOP
        name := format('watch_%s%s', w.number, (ARRAY['', '_row', '_truncate'])[part]);
        version := 'Freshet: generated, ' || md5(bodies[part] || settings);
        CONTINUE WHEN version = obj_description(to_regprocedure(format('freshet.%I()', name)), 'pg_proc');
        EXECUTE format('CREATE OR REPLACE FUNCTION freshet.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER'
                       '%s%s AS %L',
                       name, settings, CASE WHEN part = 3 THEN ' SET row_security = off' END, bodies[part]);
        -- A trigger function can be called only as a trigger. Whoever adds a partition needs this right, because
        -- PostgreSQL then clones the trigger.
        EXECUTE format('GRANT EXECUTE ON FUNCTION freshet.%I() TO PUBLIC', name);
        EXECUTE format('COMMENT ON FUNCTION freshet.%I() IS %L', name, version);
        written := true;
    END LOOP;
    RETURN written;
END $generator$;

REVOKE ALL ON FUNCTION freshet.write_watch_functions(integer) FROM PUBLIC;
