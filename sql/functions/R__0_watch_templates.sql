-- Turns templates into expressions. Everything generated here runs with Freshet's rights on values of other people's
-- types. Therefore it uses only what never calls their code: output functions (through concat), num_nulls, and *= on
-- images. It uses no casts and none of their operators, because a user-defined cast or = would run as Freshet. This
-- must hold even after an ALTER TABLE … TYPE, which Freshet does not notice.

-- 'a:{b}' -> (1, 'a:', null), (2, null, 'b'). {{ and }} are literal braces; {"odd } name"} quotes a column as SQL does.
CREATE OR REPLACE FUNCTION freshet.template_pieces(template text, OUT place bigint, OUT literal text, OUT col text)
    RETURNS SETOF record
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    piece text;
BEGIN
    FOR place, piece IN
        SELECT m.ordinality, m.found[1]
        FROM regexp_matches(template, '(\{\{|\}\}|\{"(?:[^"]|"")*"\}|\{[^{}]*\}|[{}]|[^{}]+)', 'g')
             WITH ORDINALITY m(found)
    LOOP
        literal := CASE WHEN piece IN ('{{', '}}') THEN left(piece, 1) WHEN piece !~ '^[{}]' THEN piece END;
        col := CASE WHEN literal IS NOT NULL THEN NULL
                    WHEN piece ~ '^\{".*"\}$' THEN replace(substr(piece, 3, length(piece) - 4), '""', '"')
                    WHEN length(piece) > 1 THEN substr(piece, 2, length(piece) - 2) END;
        IF literal IS NULL AND coalesce(col, '') = '' THEN
            RAISE EXCEPTION 'template % has a brace without a column', quote_literal(template)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Write {column}; a brace itself is written {{ or }}.';
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Whether triggers can see this column: in a trigger, PostgreSQL 18's virtual generated columns are always null.
CREATE OR REPLACE FUNCTION freshet.has_column(watched regclass, col text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = watched AND attname = col AND attnum > 0 AND NOT attisdropped AND attgenerated <> 'v')
$$;

-- The expression that renders one template for the row called `source`; null if a column is null. It yields at most 257
-- characters: enough to show that a tag is too long, without carrying a huge value around.
CREATE OR REPLACE FUNCTION freshet.tag_expression(watched regclass, template text, source text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT format(CASE WHEN count(p.col) = 0 THEN 'left(concat(%2$s), 257)'
                   ELSE 'CASE WHEN num_nulls(%s) = 0 THEN left(concat(%s), 257) END' END,
    string_agg(DISTINCT source || '.' || quote_ident(p.col), ', '),
    string_agg(CASE
        WHEN p.col IS NULL THEN quote_literal(p.literal)
        -- as text || column would write them: true instead of t, char(n) without its padding
        WHEN t.base = 'bool'::regtype THEN
            format('CASE concat(%1$s) WHEN ''t'' THEN ''true'' WHEN ''f'' THEN ''false'' ELSE concat(%1$s) END',
                source || '.' || quote_ident(p.col))
        WHEN t.base = 'bpchar'::regtype THEN format('rtrim(concat(%s), '' '')', source || '.' || quote_ident(p.col))
        ELSE source || '.' || quote_ident(p.col) END, ', ' ORDER BY p.place))
FROM freshet.template_pieces(template) p
LEFT JOIN LATERAL (
    WITH RECURSIVE down AS (
        SELECT a.atttypid AS base FROM pg_attribute a WHERE a.attrelid = watched AND a.attname = p.col AND a.attnum > 0
        UNION ALL SELECT y.typbasetype FROM down JOIN pg_type y ON y.oid = down.base WHERE y.typtype = 'd')
    SELECT down.base FROM down JOIN pg_type y ON y.oid = down.base WHERE y.typtype <> 'd') t ON true
$$;

-- The SET clauses that make the columns' values look the same in every session. Each costs a little at every call, so a
-- function gets only those that its columns' types need. Base types of extensions may heed any setting: for them it
-- gets all.
CREATE OR REPLACE FUNCTION freshet.rendering_settings(watched regclass, columns text[]) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE inside(type) AS (
    SELECT atttypid FROM pg_attribute
    WHERE attrelid = watched AND attname = ANY (columns) AND attnum > 0 AND NOT attisdropped
    UNION
    SELECT part.type FROM inside JOIN pg_type t ON t.oid = inside.type CROSS JOIN LATERAL (
        SELECT t.typelem WHERE t.typelem <> 0
        UNION ALL SELECT t.typbasetype WHERE t.typbasetype <> 0
        UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
        UNION ALL SELECT a.atttypid FROM pg_attribute a
                  WHERE t.typrelid <> 0 AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) part(type)
)
SELECT coalesce(string_agg(DISTINCT ' SET ' || s.setting, '' ORDER BY ' SET ' || s.setting), '')
FROM inside JOIN pg_type t ON t.oid = inside.type
JOIN (VALUES
    ('DateStyle = ''ISO, YMD''',   '{date,timestamp,timestamptz}'::text[]),
    ('TimeZone = ''UTC''',         '{timestamptz}'),
    ('IntervalStyle = ''postgres''', '{interval}'),
    ('extra_float_digits = 1',     '{float4,float8,point,lseg,path,box,polygon,line,circle}'),
    ('bytea_output = ''hex''',     '{bytea}'),
    ('lc_monetary = ''C''',        '{money}'),
    ('quote_all_identifiers = off', '{regproc,regprocedure,regoper,regoperator,regclass,regcollation,regtype,regrole,'
                                    'regnamespace,regconfig,regdictionary,aclitem}')
) s(setting, heeded_by) ON CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname = ANY (s.heeded_by)
                                ELSE t.typtype = 'b' AND t.typelem = 0
                                     AND t.typname NOT IN ('citext', 'hstore', 'ltree') END
$$;

-- The columns that templates use.
CREATE OR REPLACE FUNCTION freshet.columns_in(templates text[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT array_agg(DISTINCT p.col)
FROM unnest(templates) t CROSS JOIN freshet.template_pieces(t) p WHERE p.col IS NOT NULL
$$;

-- The templates of a watch whose columns all exist: one that lost a column must not silence the others.
CREATE OR REPLACE FUNCTION freshet.usable_templates(w freshet.watch) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT array_agg(t.template ORDER BY t.place)
FROM unnest(w.templates) WITH ORDINALITY t(template, place)
WHERE NOT EXISTS (SELECT FROM freshet.template_pieces(t.template) p
                  WHERE p.col IS NOT NULL AND NOT freshet.has_column(w.watched, p.col))
$$;

-- Expressions for the tags of the row called `source`, from the templates that are usable.
CREATE OR REPLACE FUNCTION freshet.tags_of(w freshet.watch, source text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce(string_agg(freshet.tag_expression(w.watched, t.template, source), ', ' ORDER BY t.place), 'NULL::text')
FROM unnest(freshet.usable_templates(w)) WITH ORDINALITY t(template, place)
$$;
