-- Checks the request, records it and writes its functions. Returns the number of the watch. The same request gets the
-- same number, so that a repeated call with nothing new touches no trigger. Anyone may safely call this: it changes
-- nothing about the table.
CREATE OR REPLACE FUNCTION freshet.prepare_watch(wanted regclass, wanted_templates text[], wanted_columns text[],
                                                wanted_due text[]) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id integer;
BEGIN
    PERFORM freshet.must_be_watchable(wanted);
    PERFORM freshet.must_be_given(wanted_templates, wanted_columns, wanted_due);
    PERFORM freshet.must_have_columns(wanted, wanted_templates, wanted_columns, wanted_due);
    PERFORM freshet.must_fit(wanted_templates);
    PERFORM freshet.must_be_moments(wanted, wanted_due);
    PERFORM freshet.must_see_all_rows(wanted);

    -- One caller at a time per table, so that what two callers add and drop does not mix.
    PERFORM pg_advisory_xact_lock(hashtext('freshet.watch'), hashtext(wanted::oid::text));
    wanted_templates := (SELECT array_agg(t ORDER BY place)
        FROM (SELECT t, min(place) AS place FROM unnest(wanted_templates) WITH ORDINALITY u(t, place) GROUP BY t) once);
    wanted_columns := (SELECT array_agg(DISTINCT col ORDER BY col) FROM unnest(wanted_columns) col);
    wanted_due := (SELECT array_agg(col ORDER BY place)
        FROM (SELECT col, min(place) AS place FROM unnest(wanted_due) WITH ORDINALITY u(col, place) GROUP BY col) once);
    IF wanted_due IS NOT NULL THEN
        PERFORM freshet.learn_time_zone();
    END IF;
    -- Locked, so that nobody drops its functions because nobody else can see yet that triggers use them.
    SELECT number INTO id FROM freshet.watch
    -- A watch with moments is reused only if it records them and would read them in the same way now; otherwise they
    -- are recorded again.
    WHERE watched = wanted AND templates = wanted_templates AND columns IS NOT DISTINCT FROM wanted_columns
      AND due IS NOT DISTINCT FROM wanted_due
      AND (due IS NULL OR read_as = freshet.read_as(wanted, due) AND freshet.notes_moments(wanted, number))
    ORDER BY number LIMIT 1 FOR UPDATE;
    IF id IS NULL THEN
        INSERT INTO freshet.watch (watched, templates, columns, due, read_as)
        VALUES (wanted, wanted_templates, wanted_columns, wanted_due,
            freshet.read_as(wanted, wanted_due)) RETURNING number INTO id;
    END IF;
    PERFORM freshet.write_watch_functions(id);
    PERFORM freshet.write_moment_functions(id);
    PERFORM freshet.let_in_owner(wanted);
    RETURN id;
END $$;
