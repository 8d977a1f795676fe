-- What is wrong with a watch: what cache_invalidation_watches shows and tend_watches reports.

-- For everyone who may read cache_invalidation_watches.
CREATE OR REPLACE FUNCTION freshet.lacks_triggers(watched regclass, number integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (SELECT FROM freshet.wanted_triggers(watched, number) w
               WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = w.relation AND t.tgname = w.name))
    OR EXISTS (SELECT FROM freshet.wrong_clones(watched, number) c WHERE c.is_needed)
$$;

CREATE OR REPLACE FUNCTION freshet.lacking(watched regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('lacks triggers%s: its owner has to call cache_invalidation_watch again',
    CASE WHEN relispartition AND relkind = 'p'
             THEN ', now that it is a partition (changes through its parent are missed)'
         WHEN relispartition THEN ', now that it is a partition (each row counts as a statement)'
         WHEN relkind = 'p' THEN ' on partitions, perhaps new ones (their TRUNCATE is missed)'
         ELSE '' END)
FROM pg_class WHERE oid = watched
$$;

-- The problem of a watch whose moments would now be read in another way than when they were recorded. (A column that is
-- gone is reported as another problem.) For everyone who may read cache_invalidation_watches.
CREATE OR REPLACE FUNCTION freshet.reads_otherwise(watched regclass, due text[], read_as text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
SELECT format('its moments were read as: %s; now that is: %s. Its owner has to call cache_invalidation_watch again',
    read_as, now_as)
FROM freshet.read_as(watched, due) now_as
WHERE due IS NOT NULL AND now_as <> read_as
    AND NOT EXISTS (SELECT FROM unnest(due) col WHERE NOT freshet.has_column(watched, col))
$$;
