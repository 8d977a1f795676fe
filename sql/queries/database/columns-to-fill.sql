-- An adopted table's own columns for which Freshet would have to supply a value; null if there are none.
SELECT string_agg(format('ALTER COLUMN %I DROP NOT NULL', attname), ', ' ORDER BY attnum) AS help,
       string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns
FROM pg_attribute
WHERE attrelid = ('public.' || :#table)::regclass AND attnum > 0 AND NOT attisdropped
  AND attnotnull AND NOT atthasdef AND attidentity = '' AND attname <> ALL (:#known::text[])
