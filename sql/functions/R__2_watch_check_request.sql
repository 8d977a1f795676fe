-- Which templates, columns and due columns prepare_watch refuses.

-- Refuses a request without templates, lists that are empty, and those that would take minutes.
CREATE OR REPLACE FUNCTION freshet.must_be_given(wanted_templates text[], wanted_columns text[], wanted_due text[])
    RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(cardinality(wanted_templates), 0) = 0 THEN
        RAISE EXCEPTION 'no tag templates were given' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Write for example ARRAY[''course:{id}''].';
    ELSIF EXISTS (SELECT FROM unnest(wanted_templates) t WHERE coalesce(t, '') = '') THEN
        RAISE EXCEPTION 'a tag template must not be empty or null' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Write for example ARRAY[''course:{id}''].';
    ELSIF cardinality(wanted_templates) > 100 OR EXISTS (SELECT FROM unnest(wanted_templates) t
                                                         WHERE length(t) > 1000) THEN
        RAISE EXCEPTION 'there are more than 100 tag templates, or one has more than 1000 characters'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Fewer templates, with columns in them, are enough.';
    ELSIF greatest(cardinality(wanted_columns), cardinality(wanted_due)) > 1600 THEN
        RAISE EXCEPTION 'there are more columns than a table can have'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Name each column once.';
    ELSIF cardinality(wanted_columns) = 0 THEN
        RAISE EXCEPTION 'the list of columns that matter is empty' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Leave it out, or null, when every column matters.';
    ELSIF cardinality(wanted_due) = 0 THEN
        RAISE EXCEPTION 'the list of due columns is empty' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Leave it out, or null, when no column holds a moment.';
    END IF;
END $$;

-- Refuses columns that the table does not have, or that a trigger cannot see.
CREATE OR REPLACE FUNCTION freshet.must_have_columns(wanted regclass, wanted_templates text[], wanted_columns text[],
                                                     wanted_due text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unknown text;
    virtual text;
BEGIN
    SELECT format('template %L uses {%s}', t, p.col) INTO unknown
    FROM unnest(wanted_templates) WITH ORDINALITY u(t, place) CROSS JOIN freshet.template_pieces(t) p
    WHERE p.col IS NOT NULL AND NOT freshet.has_column(wanted, p.col) ORDER BY u.place, p.place LIMIT 1;
    IF unknown IS NULL THEN
        SELECT format('%L is among the columns that matter', coalesce(col, 'NULL')) INTO unknown
        FROM unnest(wanted_columns) WITH ORDINALITY u(col, place) WHERE col IS NULL
            OR NOT freshet.has_column(wanted, col) ORDER BY place LIMIT 1;
    END IF;
    IF unknown IS NULL THEN
        SELECT format('%L is among the due columns', coalesce(col, 'NULL')) INTO unknown
        FROM unnest(wanted_due) WITH ORDINALITY u(col, place) WHERE col IS NULL OR NOT freshet.has_column(wanted, col)
            ORDER BY place LIMIT 1;
    END IF;
    IF unknown IS NOT NULL THEN
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO virtual
        FROM pg_attribute WHERE attrelid = wanted AND attnum > 0 AND attgenerated = 'v';
        RAISE EXCEPTION '%, but % has no such column that a trigger can see', unknown, wanted
            USING ERRCODE = 'undefined_column',
            HINT = 'Its columns: ' || (SELECT coalesce(string_agg(attname, ', ' ORDER BY attnum), 'none')
                FROM pg_attribute
                                      WHERE attrelid = wanted AND attnum > 0 AND NOT attisdropped
                                          AND attgenerated <> 'v')
                   || coalesce('. Virtual generated columns are unknown to triggers: ' || virtual || '.', '');
    END IF;
END $$;

-- Refuses a tag that is always too long.
CREATE OR REPLACE FUNCTION freshet.must_fit(wanted_templates text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unknown text;
BEGIN
    SELECT t INTO unknown FROM unnest(wanted_templates) t
    WHERE NOT EXISTS (SELECT FROM freshet.template_pieces(t) p WHERE p.col IS NOT NULL)
      AND (SELECT sum(length(p.literal)) FROM freshet.template_pieces(t) p) > 256 LIMIT 1;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'the tag % is longer than 256 characters', quote_literal(left(unknown, 40))
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END $$;

-- Refuses due columns of a type that does not hold a moment, and a transaction that would not see all rows.
CREATE OR REPLACE FUNCTION freshet.must_be_moments(watched regclass, due text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    col       text;
    shown     text;
    is_number boolean;
BEGIN
    SELECT d.col, format_type(a.atttypid, a.atttypmod), y.typcategory = 'N' INTO col, shown, is_number
    FROM unnest(due) WITH ORDINALITY d(col, place)
    JOIN pg_attribute a ON a.attrelid = watched AND a.attname = d.col JOIN pg_type y ON y.oid = a.atttypid
    WHERE (freshet.moment_type(watched, d.col)).base IS NULL ORDER BY d.place LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the due column % of % is of type %: it has to be timestamptz, timestamp or date',
            quote_ident(col), watched, shown
            USING ERRCODE = 'datatype_mismatch',
                  HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE timestamptz USING %s', watched, col,
                                CASE WHEN is_number THEN format('to_timestamp(%I)', col)
                                    ELSE format('%I::timestamptz', col) END);
    ELSIF due IS NOT NULL
        AND current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'a % transaction does not see all rows whose moments are to be taken in',
            current_setting('transaction_isolation')
            USING ERRCODE = 'invalid_transaction_state',
                HINT = 'First in the transaction: SET TRANSACTION ISOLATION LEVEL READ COMMITTED';
    END IF;
END $$;

REVOKE ALL ON FUNCTION freshet.must_be_given(text[], text[], text[]),
    freshet.must_have_columns(regclass, text[], text[], text[]), freshet.must_fit(text[]) FROM PUBLIC;
