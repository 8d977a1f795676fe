-- Moments: the functions of the row trigger and of the TRUNCATE trigger of a watch with `due` columns. It is a row
-- trigger because only that sees each row exactly once, whichever partition a statement names. A watch without `due`
-- has none of this.

-- Creates and replaces functions for moments, as write_watch_functions does for tags.
CREATE OR REPLACE FUNCTION freshet.write_moment_functions(watch_number integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    w         freshet.watch;
    same      text;        -- whether neither a moment nor a tag has changed
    variables text;
    read_old  text;        -- the moments of the old row, and of the new one
    read_new  text;
    has_old   text;        -- whether one of them is still to come
    has_new   text;
    note_old  text;
    note_new  text;
    note      CONSTANT text := 'IF %1$s > now_is THEN INSERT INTO freshet.moment_change (watch, tag, at, change)'
                               ' VALUES (%2$s, tag, %1$s, %3$s); END IF;';
    bodies    text[];
    settings  text;
    name      text;
    version   text;
BEGIN
    SELECT * INTO STRICT w FROM freshet.watch WHERE number = watch_number;
    IF w.due IS NULL THEN
        RETURN;
    END IF;
    SELECT format('ROW(%s)::record *= ROW(%s)::record',
                  string_agg('old.' || quote_ident(c), ', '), string_agg('new.' || quote_ident(c), ', '))
    INTO same
    FROM (SELECT DISTINCT c FROM unnest(w.due || freshet.columns_in(w.templates)) c
          WHERE freshet.has_column(w.watched, c)) every
    HAVING count(*) > 0;
    SELECT string_agg(format('%s timestamptz; %s timestamptz;', old_is, new_is), ' '),
           string_agg(freshet.read_moment(d, 'old', old_is), ' '),
           string_agg(freshet.read_moment(d, 'new', new_is), ' '),
           string_agg(old_is || ' > now_is', ' OR '), string_agg(new_is || ' > now_is', ' OR '),
           string_agg(format(note, old_is, w.number, -1), ' '), string_agg(format(note, new_is, w.number, 1), ' ')
    INTO variables, read_old, read_new, has_old, has_new, note_old, note_new
    FROM freshet.due_columns(w) d;
    -- Only moments still to come are recorded: if a row's moment has passed when its transaction commits, the other
    -- triggers report the row as changed. Gains are recorded before losses, so that no moment is ever missing in
    -- between.
    bodies[1] := freshet.fill_in($body$
DECLARE
    now_is  timestamptz := clock_timestamp();
    {variables}
    lost    text[];
    gained  text[];
    tag     text;
    failure text;
BEGIN
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF {is_same} THEN
                RETURN NULL;
            END IF;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            {read_old}
            IF {has_old} THEN
                lost := ARRAY[{old_tags}];
            END IF;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            {read_new}
            IF {has_new} THEN
                gained := ARRAY[{new_tags}];
            END IF;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        failure := SQLERRM;
    END;
    IF failure IS NOT NULL THEN
        {report_failure};
        RETURN NULL;
    END IF;
    IF gained IS NOT NULL THEN
        FOREACH tag IN ARRAY gained LOOP
            IF length(tag) BETWEEN 1 AND 256 THEN
                NULL;          -- in case no column can be read
                {note_new}
            END IF;
        END LOOP;
    END IF;
    IF lost IS NOT NULL THEN
        FOREACH tag IN ARRAY lost LOOP
            IF length(tag) BETWEEN 1 AND 256 THEN
                NULL;
                {note_old}
            END IF;
        END LOOP;
    END IF;
    RETURN NULL;
END
$body$, jsonb_build_object(
        'variables', coalesce(variables, ''),
        'is_same', coalesce(same, 'false'),
        'read_old', coalesce(read_old, ''),
        'has_old', coalesce(has_old, 'false'),
        'old_tags', freshet.tags_of(w, 'old'),
        'read_new', coalesce(read_new, ''),
        'has_new', coalesce(has_new, 'false'),
        'new_tags', freshet.tags_of(w, 'new'),
        'note_new', coalesce(note_new, ''),
        'note_old', coalesce(note_old, ''),
        'report_failure', freshet.report_failure('note the moments', 'failure')));

    -- Every table that is emptied runs its own trigger, hence ONLY. Rows that cannot be read keep their moments: this
    -- causes unnecessary calls, but no missing ones. \001 is the table's place while % is doubled. Why a
    -- subquery: R__1_watch_body_for_truncate.
    bodies[2] := freshet.fill_in($body$
BEGIN
    -- a transaction with an older snapshot does not see what reading the rows would run
    IF (current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
            OR freshet.foreign_owner_of(TG_RELID) IS NULL)
        AND freshet.foreign_code_in(TG_RELID) IS NULL THEN
        EXECUTE format({note_all}, TG_RELID::regclass) USING clock_timestamp();
    END IF;
    RETURN NULL;
EXCEPTION
    WHEN serialization_failure OR deadlock_detected THEN
        RAISE;
    WHEN OTHERS THEN
        RAISE WARNING 'Freshet keeps the moments of what this TRUNCATE of % removes: %', TG_RELID::regclass, SQLERRM;
        RETURN NULL;
END
$body$, jsonb_build_object('note_all', quote_literal(format(
        'INSERT INTO freshet.moment_change (watch, tag, at, change) SELECT %s, tag, at, -times FROM (%s) gone',
        w.number, replace(replace(freshet.moments_in(w, E'(SELECT * FROM ONLY \001)', false), '%', '%%'),
            E'\001', '%s')))));

    FOR part IN 1..2 LOOP
        settings := freshet.rendering_settings(w.watched,
                                               freshet.columns_in(w.templates) || CASE WHEN part = 2 THEN w.due END);
        name := format('watch_%s_%s', w.number, (ARRAY['moment', 'emptied'])[part]);
        version := 'Freshet: generated, ' || md5(bodies[part] || settings);
        CONTINUE WHEN version = obj_description(to_regprocedure(format('freshet.%I()', name)), 'pg_proc');
        EXECUTE format('CREATE OR REPLACE FUNCTION freshet.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                       'SET search_path = pg_catalog, pg_temp%s%s AS %L',
                       name, CASE WHEN part = 2 THEN ' SET row_security = off' END, settings, bodies[part]);
        EXECUTE format('GRANT EXECUTE ON FUNCTION freshet.%I() TO PUBLIC', name);
        EXECUTE format('COMMENT ON FUNCTION freshet.%I() IS %L', name, version);
    END LOOP;
END $generator$;

REVOKE ALL ON FUNCTION freshet.write_moment_functions(integer) FROM PUBLIC;
