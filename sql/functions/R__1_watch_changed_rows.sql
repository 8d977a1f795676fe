-- How the functions that a watch's triggers call tell which rows have changed, and the tags of all those rows.

-- What decides whether a row has changed, as a format that takes the row's name: the whole row, or the columns that
-- matter. Columns used in a tag (`needed`) always matter, or the tag of a former value would be lost. So do columns
-- that hold a moment, or nothing would report a moment that is moved into the past.
CREATE OR REPLACE FUNCTION freshet.row_image(w freshet.watch, needed text[]) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT coalesce('ROW(' || string_agg(DISTINCT '%1$s.' || replace(quote_ident(c), '%', '%%'), ', ') || ')::record',
                '(%1$s.*)::record')
FROM unnest(w.columns || needed || w.due) c WHERE w.columns IS NOT NULL AND freshet.has_column(w.watched, c)
$$;

-- A query for the tags of the rows that an UPDATE has changed, old and new.
CREATE OR REPLACE FUNCTION freshet.tags_of_changed_rows(image text, needed text[], old_tags text, new_tags text)
    RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    numbered  text;        -- a query for the rows of a transition table, with their places and images
    pair_tags text;        -- the tags of a changed row, old and new
BEGIN
    -- The old tags are rendered as well only if a column used in a tag has changed.
    pair_tags := coalesce((SELECT format(
        'CASE WHEN ROW(%s)::record *= ROW(%s)::record THEN ARRAY[%s] ELSE ARRAY[%s, %s] END',
                                    string_agg('o.' || quote_ident(c), ', '), string_agg('n.' || quote_ident(c), ', '),
                                        new_tags, old_tags, new_tags)
                      FROM unnest(needed) c HAVING count(*) > 0), format('ARRAY[%s]', new_tags));
    numbered := format('SELECT row_number() OVER () AS "freshet place", %s AS "freshet image"%s', format(image, 'r'),
                       (SELECT string_agg(', r.' || quote_ident(c), '') FROM unnest(needed) c));
    RETURN format('SELECT DISTINCT unnest(%2$s) COLLATE "C" AS tag'
                  ' FROM (%1$s FROM old_rows r) o FULL JOIN (%1$s FROM new_rows r) n USING ("freshet place")'
                  ' WHERE (o."freshet image" *= n."freshet image") IS NOT TRUE', numbered, pair_tags);
END $$;

REVOKE ALL ON FUNCTION freshet.row_image(freshet.watch, text[]),
    freshet.tags_of_changed_rows(text, text[], text, text) FROM PUBLIC;
