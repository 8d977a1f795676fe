-- The watches and their tables according to the catalog: a renamed table has its new name, a dropped one is missing.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_watches'); END $$;

CREATE OR REPLACE VIEW public.cache_invalidation_watches AS
SELECT w.watched::text AS table_name, w.templates, w.columns,
       CASE WHEN gone.columns IS NOT NULL
           THEN format('no column %s any more: its templates queue nothing until'
                       ' cache_invalidation_watch is called again',
                       gone.columns)
            WHEN own.disabled THEN 'a trigger is disabled: changes are missed'
            WHEN freshet.reads_otherwise(w.watched, w.due, w.read_as) IS NOT NULL
                THEN freshet.reads_otherwise(w.watched, w.due, w.read_as)
            WHEN freshet.lacks_triggers(w.watched, w.number) THEN freshet.lacking(w.watched) END AS problem,
       w.made_at, w.due
FROM freshet.watch w
JOIN LATERAL (
    SELECT bool_or(t.tgenabled IN ('D', 'R')) AS disabled
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = w.watched AND p.pronamespace = 'freshet'::regnamespace
        AND p.proname ~ format('^watch_%s(_|$)', w.number)
    HAVING count(*) > 0) own ON true
CROSS JOIN LATERAL (
    SELECT string_agg(DISTINCT format('{%s}', needed.col), ', ') AS columns
    FROM (SELECT p.col FROM unnest(w.templates) t CROSS JOIN freshet.template_pieces(t) p WHERE p.col IS NOT NULL
          UNION SELECT unnest(w.columns || w.due)) needed
    WHERE NOT freshet.has_column(w.watched, needed.col)) gone;

DO $$ BEGIN PERFORM freshet.settle_in('public.cache_invalidation_watches', 'pg_class',
    'the watched tables, their tags, and what is wrong with a watch', '{service_role}'); END $$;
