SELECT t.typname::text AS type, t.typcategory::text AS category, format_type(a.atttypid, a.atttypmod) AS written
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ('public.' || :#table)::regclass AND a.attname = :#column AND a.attnum > 0 AND NOT a.attisdropped
