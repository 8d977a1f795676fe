-- Moments: how the value of a `due` column becomes a moment, in expressions and queries that others put together.

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
-- not moments. As R__0_watch_templates says of tags, nothing that runs with Freshet's rights may call code of other
-- people's types, not even when a column's type has changed without Freshet's notice. So the value is touched only in a
-- statement that is not reached, and therefore not even planned, while its type differs from the one for which this was
-- written.
CREATE OR REPLACE FUNCTION freshet.read_moment(d record, source text, variable text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    value CONSTANT text := source || '.' || quote_ident(d.col);
BEGIN
    RETURN format('IF pg_typeof(%1$s)::oid = %2$s THEN IF %1$s < ''10000-01-01'' THEN %3$s := %4$s; END IF; END IF;',
                  value, d.declared, variable, format(d.moment, value));
END $$;

-- The same for a query, which is planned as a whole: through text, as R__0_watch_templates does, or directly and faster
-- if it runs with its owner's rights.
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
