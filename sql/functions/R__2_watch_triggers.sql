-- The triggers of a watch: which ones it needs, and creating and dropping them.

-- The triggers that a watch needs, depending on what its table is now:
--   a separate table     statement triggers, and a row trigger that becomes active if the table becomes a partition,
--                        so that nothing is lost until its watch is made again (what it costs: docs/decisions.md)
--   a partitioned table  statement triggers on it and on every table below it, because a statement may name any of
--                        them; and a row trigger, which PostgreSQL clones onto later partitions. The clones are
--                        disabled where there are statement triggers
--   a partition          a row trigger: a statement that names the parent fires nothing else here
-- TRUNCATE triggers fire for every table that is emptied, whichever one the statement names. `due` columns need one
-- more row trigger on the table itself, and one more TRUNCATE trigger on all tables (R__1_watch_moment_functions).
CREATE OR REPLACE FUNCTION freshet.wanted_triggers(watched regclass, number integer)
RETURNS TABLE (relation regclass, name text, definition text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
WITH root AS (SELECT relkind = 'p' AS partitioned, relispartition AS is_partition FROM pg_class WHERE oid = watched)
SELECT m.member, format('freshet_%s_%s', number, e.event),
       format('CREATE TRIGGER freshet_%1$s_%2$s %3$s ON %4$s%5$s FOR EACH %6$s%8$s'
              ' EXECUTE FUNCTION freshet.watch_%1$s%7$s()',
              number, e.event, e.moment, m.member, e.tables, e.level, e.part,
              CASE e.event WHEN 'attached'
              THEN format(' WHEN (pg_partition_root(%L::regclass) IS NOT NULL)', m.member) END)
FROM root CROSS JOIN freshet.members(watched) m
CROSS JOIN (VALUES
    ('insert',   'AFTER INSERT', ' REFERENCING NEW TABLE AS new_rows', 'STATEMENT', ''),
    ('update',   'AFTER UPDATE', ' REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows', 'STATEMENT', ''),
    ('delete',   'AFTER DELETE', ' REFERENCING OLD TABLE AS old_rows', 'STATEMENT', ''),
    ('truncate', 'BEFORE TRUNCATE', '', 'STATEMENT', '_truncate'),
    ('row',      'AFTER INSERT OR UPDATE OR DELETE', '', 'ROW', '_row'),
    ('attached', 'AFTER INSERT OR UPDATE OR DELETE', '', 'ROW', '_row'),
    ('moment',   'AFTER INSERT OR UPDATE OR DELETE', '', 'ROW', '_moment'),
    ('emptied',  'BEFORE TRUNCATE', '', 'STATEMENT', '_emptied')
) e(event, moment, tables, level, part)
WHERE CASE e.event WHEN 'truncate' THEN true
                   WHEN 'row' THEN m.member = watched AND (root.partitioned OR root.is_partition)
                   WHEN 'attached' THEN NOT root.partitioned AND NOT root.is_partition
                   WHEN 'moment' THEN m.member = watched
                       AND to_regprocedure(format('freshet.watch_%s_moment()', number)) IS NOT NULL
                   WHEN 'emptied' THEN to_regprocedure(format('freshet.watch_%s_emptied()', number)) IS NOT NULL
                   ELSE NOT root.is_partition END
$$;

-- The row trigger's clones on partitions that are enabled although there are statement triggers, or disabled although
-- there are none.
CREATE OR REPLACE FUNCTION freshet.wrong_clones(watched regclass, number integer)
RETURNS TABLE (relation regclass, name name, is_needed boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT m.member, t.tgname, root.relispartition
FROM pg_class root CROSS JOIN freshet.members(watched) m JOIN pg_trigger t ON t.tgrelid = m.member
WHERE root.oid = watched AND m.leaf AND t.tgparentid <> 0 AND t.tgname = format('freshet_%s_row', number)
  AND (t.tgenabled = 'D') = root.relispartition
$$;

-- Whether a row trigger records the moments of the table's rows.
CREATE OR REPLACE FUNCTION freshet.notes_moments(watched regclass, number integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = watched
    AND tgname = format('freshet_%s_moment', number)) $$;

CREATE OR REPLACE FUNCTION freshet.has_triggers(number integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
               WHERE p.pronamespace = 'freshet'::regnamespace AND p.proname ~ format('^watch_%s(_|$)', number))
$$;

-- Whether the table itself has one of the watch's triggers.
CREATE OR REPLACE FUNCTION freshet.is_triggered(watched regclass, number integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
               WHERE t.tgrelid = watched
                 AND p.pronamespace = 'freshet'::regnamespace AND p.proname ~ format('^watch_%s(_|$)', number))
$$;

-- Brings the triggers of a watch to what they should be. Returns how many statements this took.
CREATE OR REPLACE FUNCTION freshet.set_triggers(watched regclass, number integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    steps integer := 0;
    step  text;
BEGIN
    FOR step IN
        SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE p.pronamespace = 'freshet'::regnamespace AND p.proname ~ format('^watch_%s(_|$)', number)
            AND t.tgparentid = 0
          AND t.tgrelid IN (SELECT member FROM freshet.members(watched))
          AND NOT EXISTS (SELECT FROM freshet.wanted_triggers(watched, number) w WHERE w.relation = t.tgrelid
              AND w.name = t.tgname)
        UNION ALL
        SELECT w.definition FROM freshet.wanted_triggers(watched, number) w
        WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = w.relation AND t.tgname = w.name)
    LOOP
        EXECUTE step;
        steps := steps + 1;
    END LOOP;
    FOR step IN
        SELECT format('ALTER TABLE %s %s TRIGGER %I', s.relation,
                      CASE WHEN s.is_needed THEN 'ENABLE' ELSE 'DISABLE' END, s.name)
        FROM freshet.wrong_clones(watched, number) s
    LOOP
        EXECUTE step;
        steps := steps + 1;
    END LOOP;
    RETURN steps;
END $$;

CREATE OR REPLACE FUNCTION freshet.drop_triggers(watched regclass, number integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    steps integer := 0;
    step  text;
BEGIN
    FOR step IN
        SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE p.pronamespace = 'freshet'::regnamespace AND p.proname ~ format('^watch_%s(_|$)', number)
            AND t.tgparentid = 0
          AND t.tgrelid IN (SELECT member FROM freshet.members(watched))
    LOOP
        EXECUTE step;
        steps := steps + 1;
    END LOOP;
    RETURN steps;
END $$;
