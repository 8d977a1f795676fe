-- Whether these tables are the demo's own.
SELECT count(*) = cardinality(:#tables::text[]) AS are_ours
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY (:#tables::text[])
    AND freshet.is_ours(oid, 'pg_class')
