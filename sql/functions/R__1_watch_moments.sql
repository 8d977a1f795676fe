-- Moments: what the row triggers of a watch with `due` columns record, and how a column's value becomes a moment. They
-- are row triggers, because only those see each row exactly once, whichever table of a partitioned one a statement
-- names. A watch without `due` has none of this.

-- The time zone in which a timestamp without a time zone is read: the database's, or else the server's; never the
-- session's.
CREATE OR REPLACE FUNCTION freshet.time_zone() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(
    (SELECT substr(said, length('timezone=') + 1)
     FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) said
     WHERE d.datname = current_database() AND s.setrole = 0 AND lower(said) LIKE 'timezone=%'),
    (SELECT name FROM freshet.server_time_zone),
    current_setting('log_timezone'))
$$;

-- A session can read the server's time zone only if neither its client, its role nor its database has set another one
-- (a JDBC driver always sets one). A session that can read it records it here for all. SET LOCAL … TO DEFAULT shows
-- where the default comes from; the function's own SET restores the former value.
CREATE OR REPLACE FUNCTION freshet.learn_time_zone() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC'
AS $$
BEGIN
    SET LOCAL TimeZone TO DEFAULT;
    INSERT INTO freshet.server_time_zone AS known (name)
    SELECT s.setting FROM pg_settings s
    WHERE s.name = 'TimeZone' AND s.source NOT IN ('client', 'user', 'database', 'database user', 'session', 'override')
      AND NOT EXISTS (SELECT FROM freshet.server_time_zone z WHERE z.name = s.setting)
    ON CONFLICT (only_one) DO UPDATE SET name = excluded.name, learned_at = now();
END $$;

-- timestamptz, timestamp or date, or a domain over one of them; null for any other type.
CREATE OR REPLACE FUNCTION freshet.moment_type(watched regclass, col text, OUT declared oid, OUT base text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE down AS (
    SELECT a.atttypid AS declared, a.atttypid AS type
    FROM pg_attribute a WHERE a.attrelid = watched AND a.attname = col AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT down.declared, y.typbasetype FROM down JOIN pg_type y ON y.oid = down.type WHERE y.typtype = 'd')
SELECT down.declared,
       CASE WHEN down.type IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) THEN y.typname::text END
FROM down JOIN pg_type y ON y.oid = down.type WHERE y.typtype <> 'd'
$$;

-- What the moments of a watch depend on, besides the rows. If this changes, they have to be recorded again.
CREATE OR REPLACE FUNCTION freshet.read_as(watched regclass, due text[]) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(concat(col, ' ', coalesce(t.base, 'of another type'),
                         CASE WHEN t.base <> 'timestamptz' THEN ' in ' || freshet.time_zone() END), ', ' ORDER BY col)
FROM unnest(due) col LEFT JOIN LATERAL freshet.moment_type(watched, col) t ON true
$$;

-- The due columns that can be read, with the variables in which a generated function keeps their values.
CREATE OR REPLACE FUNCTION freshet.due_columns(w freshet.watch, OUT col text, OUT declared oid, OUT base text,
                                               OUT moment text, OUT old_is text, OUT new_is text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT d.col, t.declared, t.base,
       -- turns a value into its moment
       CASE t.base WHEN 'timestamptz' THEN '%s::timestamptz'
                   ELSE format('%%s::timestamp AT TIME ZONE %L', freshet.time_zone()) END,
       'old_' || d.place, 'new_' || d.place
FROM unnest(w.due) WITH ORDINALITY d(col, place) CROSS JOIN LATERAL freshet.moment_type(w.watched, d.col) t
WHERE t.base IS NOT NULL AND freshet.has_column(w.watched, d.col)
ORDER BY d.place
$$;

-- Statements that read the moment in a column of the row called `source`; infinity and times after the year 9999 are
-- not moments. As R__0 says of tags, nothing that runs with Freshet's rights may call code of other people's types, not
-- even when a column's type has changed without Freshet's notice. So the value is touched only in a statement that is
-- not reached, and therefore not even planned, while its type differs from the one for which this was written.
CREATE OR REPLACE FUNCTION freshet.read_moment(d record, source text, variable text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    value CONSTANT text := source || '.' || quote_ident(d.col);
BEGIN
    RETURN format('IF pg_typeof(%1$s)::oid = %2$s THEN IF %1$s < ''10000-01-01'' THEN %3$s := %4$s; END IF; END IF;',
                  value, d.declared, variable, format(d.moment, value));
END $$;

CREATE OR REPLACE FUNCTION freshet.columns_in(templates text[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT array_agg(DISTINCT p.col)
FROM unnest(templates) t CROSS JOIN freshet.template_pieces(t) p WHERE p.col IS NOT NULL
$$;

-- The same for a query, which is planned as a whole: through text, as R__0 does, or directly and faster if it runs with
-- its owner's rights.
CREATE OR REPLACE FUNCTION freshet.moments_of(w freshet.watch, source text, as_owner boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(string_agg(
    CASE WHEN as_owner THEN format('CASE WHEN %s < ''10000-01-01'' THEN %s END', value, format(moment, value))
         ELSE format('CASE WHEN num_nulls(%1$s) = 0 AND pg_typeof(%1$s)::oid = %2$s::oid'
                     ' THEN CASE WHEN concat(%1$s)::%3$s < ''10000-01-01'' THEN %4$s END END',
                     value, declared, base, format(moment, format('concat(%s)', value))) END, ', '), '')
FROM freshet.due_columns(w) CROSS JOIN LATERAL (SELECT source || '.' || quote_ident(col) AS value) v
$$;

-- Expressions for a row's tags, from the templates whose columns all exist, as in write_watch_functions.
CREATE OR REPLACE FUNCTION freshet.tags_of(w freshet.watch, source text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(string_agg(freshet.tag_expression(w.watched, t.template, source), ', ' ORDER BY t.place), 'NULL::text')
FROM unnest(w.templates) WITH ORDINALITY t(template, place)
WHERE NOT EXISTS (SELECT FROM freshet.template_pieces(t.template) p
                  WHERE p.col IS NOT NULL AND NOT freshet.has_column(w.watched, p.col))
$$;

-- A condition for rows that may have a moment still to come, which an index on the columns can serve. It covers two
-- days more, because time zones differ.
CREATE OR REPLACE FUNCTION freshet.may_come(w freshet.watch, source text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(string_agg(format('%s.%I > %s', source, col,
    CASE base WHEN 'timestamptz' THEN '$1'
              ELSE format('(($1 AT TIME ZONE ''UTC'') - interval ''2 days'')::%s', base) END), ' OR '), 'false')
FROM freshet.due_columns(w)
$$;

-- The rows of a table (`rows`) as tags and moments still to come, with the number of rows for each. $1 is the current
-- time.
CREATE OR REPLACE FUNCTION freshet.moments_in(w freshet.watch, rows text, as_owner boolean) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('SELECT t.tag COLLATE "C" AS tag, d.at, count(*) AS times FROM %s o'
              ' CROSS JOIN LATERAL unnest(ARRAY[%s]::timestamptz[]) d(at) CROSS JOIN LATERAL unnest(ARRAY[%s]) t(tag)'
              ' WHERE d.at > $1 AND length(t.tag) BETWEEN 1 AND 256%s GROUP BY 1, 2',
              rows, freshet.moments_of(w, 'o', as_owner), freshet.tags_of(w, 'o'),
              CASE WHEN as_owner THEN ' AND (' || freshet.may_come(w, 'o') || ')' END)
$$;

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
    -- Only moments still to come are recorded: if a row's moment has passed when its transaction commits, the other
    -- triggers report the row as changed. Gains are recorded before losses, so that no moment is ever missing in
    -- between.
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
    bodies[1] := format($body$
DECLARE
    now_is  timestamptz := clock_timestamp();
    %1$s
    lost    text[];
    gained  text[];
    tag     text;
    failure text;
BEGIN
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF %2$s THEN
                RETURN NULL;
            END IF;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            %3$s
            IF %4$s THEN
                lost := ARRAY[%5$s];
            END IF;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            %6$s
            IF %7$s THEN
                gained := ARRAY[%8$s];
            END IF;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        failure := SQLERRM;
    END;
    IF failure IS NOT NULL THEN
        RAISE WARNING 'Freshet could not note the moments of this %% of %%: %%', TG_OP, TG_RELID::regclass, failure
            USING HINT = 'SELECT * FROM cache_invalidation_watches tells why;'
                         ' calling cache_invalidation_watch again mends it.';
        INSERT INTO freshet.inbox (tag) VALUES (NULL);
        RETURN NULL;
    END IF;
    IF gained IS NOT NULL THEN
        FOREACH tag IN ARRAY gained LOOP
            IF length(tag) BETWEEN 1 AND 256 THEN
                NULL; %9$s
            END IF;
        END LOOP;
    END IF;
    IF lost IS NOT NULL THEN
        FOREACH tag IN ARRAY lost LOOP
            IF length(tag) BETWEEN 1 AND 256 THEN
                NULL; %10$s
            END IF;
        END LOOP;
    END IF;
    RETURN NULL;
END
$body$, variables, coalesce(same, 'false'), read_old, coalesce(has_old, 'false'), freshet.tags_of(w, 'old'),
        read_new, coalesce(has_new, 'false'), freshet.tags_of(w, 'new'), note_new, note_old);

    -- Every table that is emptied runs its own trigger, hence ONLY. Rows that cannot be read keep their moments: this
    -- causes unnecessary calls, but no missing ones.
    bodies[2] := format($body$
BEGIN
    IF freshet.foreign_code_in(TG_RELID) IS NULL THEN
        EXECUTE format(%1$L, TG_RELID::regclass) USING clock_timestamp();
    END IF;
    RETURN NULL;
EXCEPTION
    WHEN serialization_failure OR deadlock_detected THEN
        RAISE;
    WHEN OTHERS THEN
        RAISE WARNING 'Freshet keeps the moments of what this TRUNCATE of %% removes: %%', TG_RELID::regclass, SQLERRM;
        RETURN NULL;
END
$body$, format('INSERT INTO freshet.moment_change (watch, tag, at, change) SELECT %s, tag, at, -times FROM (%s) gone',
               w.number, replace(replace(freshet.moments_in(w, E'ONLY \001', false), '%', '%%'), E'\001', '%s')));

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

-- Records the moments of the rows that exist when a watch is created. Their owner reads them, with the owner's rights.
-- The triggers just created have locked out the table's writers, so no change is missed.
CREATE OR REPLACE FUNCTION freshet.take_moments_in(watched regclass, number integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET row_security = off
    SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC' SET IntervalStyle = 'postgres' SET extra_float_digits = 1
    SET bytea_output = 'hex' SET lc_monetary = 'C' SET quote_all_identifiers = off
AS $$
DECLARE
    found record;
    tags  text[] := '{}';
    ats   timestamptz[] := '{}';
    times bigint[] := '{}';
BEGIN
    FOR found IN EXECUTE freshet.moments_query(number) USING clock_timestamp() LOOP
        tags := tags || found.tag;
        ats := ats || found.at;
        times := times || found.times;
        IF cardinality(tags) = 10000 THEN
            PERFORM freshet.note_moments(number, tags, ats, times);
            tags := '{}';
            ats := '{}';
            times := '{}';
        END IF;
    END LOOP;
    PERFORM freshet.note_moments(number, tags, ats, times);
END $$;

CREATE OR REPLACE FUNCTION freshet.moments_query(number integer) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT freshet.moments_in(w, CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END || w.watched, true)
FROM freshet.watch w JOIN pg_class c ON c.oid = w.watched WHERE w.number = moments_query.number AND w.due IS NOT NULL
$$;

-- For owners of watched tables: whoever watches a table can have any tag queued anyway. This function cannot remove
-- moments.
CREATE OR REPLACE FUNCTION freshet.note_moments(number integer, tags text[], ats timestamptz[], times bigint[])
RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
INSERT INTO freshet.moment_change (watch, tag, at, change)
SELECT number, n.tag, n.at, least(n.times, 2147483647) FROM unnest(tags, ats, times) n(tag, at, times)
WHERE n.times > 0 AND length(n.tag) BETWEEN 1 AND 256 AND n.at IS NOT NULL
$$;

REVOKE ALL ON FUNCTION freshet.learn_time_zone(), freshet.write_moment_functions(integer) FROM PUBLIC;
