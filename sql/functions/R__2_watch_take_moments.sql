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
WHERE n.times > 0 AND length(n.tag) BETWEEN 1 AND 256
  AND n.at < '10000-01-01' AND n.at > now() - interval '1 day'
$$;
