-- Puts a watch in force. Freshet creates the functions (SECURITY DEFINER, in prepare_watch); the table's owner creates
-- the triggers and grants on it (SECURITY INVOKER). The public functions refer to these by oid (RETURN …), so no caller
-- needs USAGE on schema freshet to get here. prepare_watch then grants it to the table's owner, whose CREATE TRIGGER
-- has to name Freshet's functions.

CREATE OR REPLACE FUNCTION freshet.must_own(watched regclass) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner oid := (SELECT relowner FROM pg_class WHERE oid = watched);
BEGIN
    IF owner IS NULL THEN
        RAISE EXCEPTION 'there is no such table' USING ERRCODE = 'undefined_table',
            HINT = 'Write its name, with the schema where needed: ''shop."Order Lines"''.';
    ELSIF NOT pg_has_role(owner, 'USAGE') THEN
        RAISE EXCEPTION 'only the owner of % may have it watched', watched USING ERRCODE = 'insufficient_privilege',
            HINT = format('Ask %I to call this, or to GRANT %1$I TO %I.', pg_get_userbyid(owner), current_user);
    END IF;
    RETURN watched;
END $$;

-- The table itself and, if it is partitioned, all tables below it. (Inheritance children are separate tables.)
CREATE OR REPLACE FUNCTION freshet.members(watched regclass) RETURNS TABLE (member regclass, leaf boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT relid, isleaf FROM pg_partition_tree(watched)
UNION SELECT oid, true FROM pg_class WHERE oid = watched AND relkind = 'r' AND NOT relispartition
$$;

CREATE OR REPLACE FUNCTION freshet.role() RETURNS regrole
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'freshet' $$;

-- The watches of a table. Lets the table's present owner, who may not be the one who called cache_invalidation_watch,
-- change them. From here on nobody else changes them until the transaction ends.
CREATE OR REPLACE FUNCTION freshet.watch_numbers(of regclass) RETURNS integer[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    numbers integer[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('freshet.watch'), hashtext(of::oid::text));
    numbers := ARRAY(SELECT number FROM freshet.watch WHERE watched = of ORDER BY number);
    IF cardinality(numbers) > 0 THEN
        PERFORM freshet.let_in_owner(of);
    END IF;
    RETURN numbers;
END $$;

CREATE OR REPLACE FUNCTION freshet.let_in_owner(of regclass) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner CONSTANT regrole := (SELECT relowner FROM pg_class WHERE oid = of);
BEGIN
    IF NOT has_schema_privilege(owner, 'freshet', 'USAGE') THEN
        PERFORM pg_advisory_xact_lock(hashtext('freshet.watch'), -1);   -- two simultaneous GRANTs on one schema fail
        EXECUTE format('GRANT USAGE ON SCHEMA freshet TO %s', owner);
    END IF;
END $$;

-- Checks the request, records it and writes its functions. Returns the number of the watch. The same request gets the
-- same number, so that a repeated call with nothing new touches no trigger. Anyone may safely call this: it changes
-- nothing about the table.
CREATE OR REPLACE FUNCTION freshet.prepare_watch(wanted regclass, wanted_templates text[], wanted_columns text[],
                                                wanted_due text[]) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c         pg_class;
    namespace name;
    unknown   text;
    virtual   text;
    id        integer;
BEGIN
    SELECT * INTO STRICT c FROM pg_class WHERE oid = wanted;
    SELECT nspname INTO namespace FROM pg_namespace WHERE oid = c.relnamespace;
    IF c.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is no table but a %', wanted, CASE c.relkind WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
            WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'relation of another kind' END
            USING ERRCODE = 'wrong_object_type', HINT = 'Watch the tables that it is made from.';
    ELSIF c.relpersistence = 't' THEN
        RAISE EXCEPTION '% is a temporary table: nobody else can see its changes', wanted
            USING ERRCODE = 'wrong_object_type';
    ELSIF namespace IN ('pg_catalog', 'information_schema', 'pg_toast') THEN
        RAISE EXCEPTION '% belongs to PostgreSQL and has no triggers', wanted USING ERRCODE = 'wrong_object_type';
    ELSIF namespace = 'freshet' OR namespace = 'public'
        AND c.relname IN ('cache_invalidation_queue', 'invalidation_audit') THEN
        RAISE EXCEPTION '% is a table of Freshet''s own: watching it would never end', wanted
            USING ERRCODE = 'wrong_object_type';
    ELSIF EXISTS (SELECT FROM freshet.members(wanted) m JOIN pg_class f ON f.oid = m.member WHERE f.relkind = 'f') THEN
        RAISE EXCEPTION '% has a foreign table as a partition, whose changes no trigger sees', wanted
            USING ERRCODE = 'wrong_object_type',
            HINT = 'Watch the other partitions one by one.';
    ELSIF coalesce(cardinality(wanted_templates), 0) = 0 THEN
        RAISE EXCEPTION 'no tag templates were given' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Write for example ARRAY[''course:{id}''].';
    ELSIF EXISTS (SELECT FROM unnest(wanted_templates) t WHERE coalesce(t, '') = '') THEN
        RAISE EXCEPTION 'a tag template must not be empty or null' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Write for example ARRAY[''course:{id}''].';
    ELSIF cardinality(wanted_columns) = 0 THEN
        RAISE EXCEPTION 'the list of columns that matter is empty' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Leave it out, or null, when every column matters.';
    ELSIF cardinality(wanted_due) = 0 THEN
        RAISE EXCEPTION 'the list of due columns is empty' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Leave it out, or null, when no column holds a moment.';
    END IF;

    SELECT format('template %L uses {%s}', t, p.col) INTO unknown
    FROM unnest(wanted_templates) WITH ORDINALITY u(t, place) CROSS JOIN freshet.template_pieces(t) p
    WHERE p.col IS NOT NULL AND NOT freshet.has_column(wanted, p.col) ORDER BY u.place, p.place LIMIT 1;
    IF unknown IS NULL THEN
        SELECT format('%L is among the columns that matter', coalesce(col, 'NULL')) INTO unknown
        FROM unnest(wanted_columns) WITH ORDINALITY u(col, place) WHERE col IS NULL
            OR NOT freshet.has_column(wanted, col) ORDER BY place LIMIT 1;
    END IF;
    IF unknown IS NULL THEN
        SELECT format('%L is among the due columns', coalesce(col, 'NULL')) INTO unknown
        FROM unnest(wanted_due) WITH ORDINALITY u(col, place) WHERE col IS NULL OR NOT freshet.has_column(wanted, col)
            ORDER BY place LIMIT 1;
    END IF;
    IF unknown IS NOT NULL THEN
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO virtual
        FROM pg_attribute WHERE attrelid = wanted AND attnum > 0 AND attgenerated = 'v';
        RAISE EXCEPTION '%, but % has no such column that a trigger can see', unknown, wanted
            USING ERRCODE = 'undefined_column',
            HINT = 'Its columns: ' || (SELECT coalesce(string_agg(attname, ', ' ORDER BY attnum), 'none')
                FROM pg_attribute
                                      WHERE attrelid = wanted AND attnum > 0 AND NOT attisdropped
                                          AND attgenerated <> 'v')
                   || coalesce('. Virtual generated columns are unknown to triggers: ' || virtual || '.', '');
    END IF;
    SELECT t INTO unknown FROM unnest(wanted_templates) t
    WHERE NOT EXISTS (SELECT FROM freshet.template_pieces(t) p WHERE p.col IS NOT NULL)
      AND (SELECT sum(length(p.literal)) FROM freshet.template_pieces(t) p) > 256 LIMIT 1;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'the tag % is longer than 256 characters', quote_literal(left(unknown, 40))
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM freshet.must_be_moments(wanted, wanted_due);
    IF (SELECT bool_or(row_security_active(member)) FROM freshet.members(wanted)) THEN
        RAISE EXCEPTION 'row-level security of % would hide rows from Freshet, whose role is %:'
            ' TRUNCATE could not name them',
            wanted, current_user
            USING ERRCODE = 'insufficient_privilege',
                HINT = format('ALTER ROLE %I BYPASSRLS, or let %1$I own the table.', current_user);
    END IF;

    -- One caller at a time per table, so that what two callers add and drop does not mix.
    PERFORM pg_advisory_xact_lock(hashtext('freshet.watch'), hashtext(wanted::oid::text));
    wanted_templates := (SELECT array_agg(t ORDER BY place)
        FROM (SELECT t, min(place) AS place FROM unnest(wanted_templates) WITH ORDINALITY u(t, place) GROUP BY t) once);
    wanted_columns := (SELECT array_agg(DISTINCT col ORDER BY col) FROM unnest(wanted_columns) col);
    wanted_due := (SELECT array_agg(col ORDER BY place)
        FROM (SELECT col, min(place) AS place FROM unnest(wanted_due) WITH ORDINALITY u(col, place) GROUP BY col) once);
    IF wanted_due IS NOT NULL THEN
        PERFORM freshet.learn_time_zone();
    END IF;
    -- Locked, so that nobody drops its functions because nobody else can see yet that triggers use them.
    SELECT number INTO id FROM freshet.watch
    -- A watch with moments is reused only if it records them and would read them in the same way now; otherwise they
    -- are recorded again.
    WHERE watched = wanted AND templates = wanted_templates AND columns IS NOT DISTINCT FROM wanted_columns
      AND due IS NOT DISTINCT FROM wanted_due
      AND (due IS NULL OR read_as = freshet.read_as(wanted, due) AND freshet.notes_moments(wanted, number))
    ORDER BY number LIMIT 1 FOR UPDATE;
    IF id IS NULL THEN
        INSERT INTO freshet.watch (watched, templates, columns, due, read_as)
        VALUES (wanted, wanted_templates, wanted_columns, wanted_due,
            freshet.read_as(wanted, wanted_due)) RETURNING number INTO id;
    END IF;
    PERFORM freshet.write_watch_functions(id);
    PERFORM freshet.write_moment_functions(id);
    PERFORM freshet.let_in_owner(wanted);
    RETURN id;
END $$;

-- Refuses due columns of a type that does not hold a moment, and a transaction that would not see all rows.
CREATE OR REPLACE FUNCTION freshet.must_be_moments(watched regclass, due text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    col       text;
    shown     text;
    is_number boolean;
BEGIN
    SELECT d.col, format_type(a.atttypid, a.atttypmod), y.typcategory = 'N' INTO col, shown, is_number
    FROM unnest(due) WITH ORDINALITY d(col, place)
    JOIN pg_attribute a ON a.attrelid = watched AND a.attname = d.col JOIN pg_type y ON y.oid = a.atttypid
    WHERE (freshet.moment_type(watched, d.col)).base IS NULL ORDER BY d.place LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the due column % of % is of type %: it has to be timestamptz, timestamp or date',
            quote_ident(col), watched, shown
            USING ERRCODE = 'datatype_mismatch',
                  HINT = format('ALTER TABLE %s ALTER COLUMN %I TYPE timestamptz USING %s', watched, col,
                                CASE WHEN is_number THEN format('to_timestamp(%I)', col)
                                    ELSE format('%I::timestamptz', col) END);
    ELSIF due IS NOT NULL
        AND current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'a % transaction does not see all rows whose moments are to be taken in',
            current_setting('transaction_isolation')
            USING ERRCODE = 'invalid_transaction_state',
                HINT = 'First in the transaction: SET TRANSACTION ISOLATION LEVEL READ COMMITTED';
    END IF;
END $$;

-- Whether a row trigger records the moments of the table's rows.
CREATE OR REPLACE FUNCTION freshet.notes_moments(watched regclass, number integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = watched
    AND tgname = format('freshet_%s_moment', number)) $$;

-- The triggers that a watch needs, depending on what its table is now:
--   a separate table     statement triggers, and a row trigger that becomes active if the table becomes a partition,
--                        so that nothing is lost until its watch is made again (what it costs: docs/decisions.md)
--   a partitioned table  statement triggers on it and on every table below it, because a statement may name any of
--                        them; and a row trigger, which PostgreSQL clones onto later partitions. The clones are
--                        disabled where there are statement triggers
--   a partition          a row trigger: a statement that names the parent fires nothing else here
-- TRUNCATE triggers fire for every table that is emptied, whichever one the statement names. `due` columns need one
-- more row trigger on the table itself, and one more TRUNCATE trigger on all tables (R__1_watch_moments).
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

CREATE OR REPLACE FUNCTION freshet.has_triggers(number integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
               WHERE p.pronamespace = 'freshet'::regnamespace AND p.proname ~ format('^watch_%s(_|$)', number))
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

CREATE OR REPLACE FUNCTION freshet.install_watch(watched regclass, number integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reader  CONSTANT regrole := freshet.role();
    strange text;
    other   integer;
    schema  oid;
    part    regclass;
    is_new  CONSTANT boolean := NOT freshet.notes_moments(watched, number);
BEGIN
    -- The trigger for TRUNCATE reads the table with Freshet's rights.
    FOR part, schema IN SELECT c.oid, c.relnamespace
        FROM freshet.members(watched) m JOIN pg_class c ON c.oid = m.member LOOP
        IF NOT has_table_privilege(reader, part, 'SELECT') THEN
            EXECUTE format('GRANT SELECT ON %s TO %s', part, reader);
        END IF;
        IF NOT has_schema_privilege(reader, schema, 'USAGE') THEN
            BEGIN
                EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', schema::regnamespace, reader);
            EXCEPTION WHEN insufficient_privilege THEN
                NULL;
            END;
            IF NOT has_schema_privilege(reader, schema, 'USAGE') THEN
                RAISE EXCEPTION 'Freshet''s role % may not look into schema %', reader, schema::regnamespace
                    USING ERRCODE = 'insufficient_privilege',
                    HINT = format('Its owner has to: GRANT USAGE ON SCHEMA %s TO %s', schema::regnamespace, reader);
            END IF;
        END IF;
    END LOOP;
    strange := freshet.foreign_code_in(watched);
    IF strange IS NOT NULL THEN
        RAISE WARNING 'TRUNCATE of % will be counted as skipped: reading the table would run % with the rights of %',
            watched, strange, reader;
    END IF;
    IF EXISTS (SELECT FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = watched
        AND NOT c.relispartition) THEN
        RAISE NOTICE '% has inheritance children: statements that name a child are seen only if'
            ' the child is watched too',
            watched;
    END IF;
    PERFORM freshet.set_triggers(watched, number);
    FOREACH other IN ARRAY freshet.watch_numbers(watched) LOOP
        IF other <> number THEN
            PERFORM freshet.drop_triggers(watched, other);
        END IF;
    END LOOP;
    IF is_new AND freshet.notes_moments(watched, number) THEN
        PERFORM freshet.take_moments_in(watched, number);
    END IF;
    RETURN true;
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

CREATE OR REPLACE FUNCTION freshet.remove_watch(watched regclass, numbers integer[]) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dropped integer := 0;
    number  integer;
BEGIN
    FOREACH number IN ARRAY numbers LOOP
        dropped := dropped + freshet.drop_triggers(watched, number);
    END LOOP;
    IF dropped = 0 THEN
        RAISE NOTICE '% was not watched', watched;
    END IF;
    RETURN dropped > 0;
END $$;

-- Drops watches that no trigger uses, and their functions: at once if the caller has just replaced or removed the
-- watches of this table, or if the table is gone. Any other watch is dropped after a day, because somebody may be
-- restoring a dump, which creates the triggers last. It is safe to call this at any time, because a function that a
-- trigger needs is never dropped:
--   * Whoever makes a watch again holds its row until others can see its triggers (prepare_watch). Such rows are
--     skipped.
--   * Once the row is locked, this looks for triggers again, in a statement with a newer snapshot. If the transaction
--     has only one snapshot, nothing is dropped; the worker calls this every minute.
CREATE OR REPLACE FUNCTION freshet.drop_unused_watches(of regclass, after_this boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held     integer[];
    function regprocedure;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RETURN;
    END IF;
    held := ARRAY(SELECT number FROM freshet.watch w
                  WHERE (of IS NULL OR w.watched = of)
                    AND (w.without_triggers_since IS NOT NULL OR NOT freshet.has_triggers(w.number))
                  ORDER BY number FOR UPDATE SKIP LOCKED);
    UPDATE freshet.watch w
    SET without_triggers_since = CASE WHEN NOT freshet.has_triggers(w.number)
                                      THEN coalesce(w.without_triggers_since, now()) END
    WHERE w.number = ANY (held);
    FOR function IN
        WITH gone AS (
            DELETE FROM freshet.watch w
            WHERE w.number = ANY (held) AND w.without_triggers_since IS NOT NULL
              AND (w.watched = of OR w.without_triggers_since < now() - interval '1 day'
                   OR NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = w.watched))
            RETURNING w.number)
        SELECT p.oid FROM pg_proc p JOIN gone ON p.proname ~ format('^watch_%s(_row|_truncate|_moment|_emptied)?$',
            gone.number)
        WHERE p.pronamespace = 'freshet'::regnamespace AND p.prorettype = 'trigger'::regtype
    LOOP
        EXECUTE format('DROP FUNCTION %s', function);
    END LOOP;
END $$;

-- The worker calls this from time to time. It adapts the functions to their tables' columns, creates the statement
-- triggers of new partitions if Freshet owns the table, and drops watches whose tables are gone. Returns the problems
-- that only the owner of a table can solve. A watch that somebody is making at the moment is left to the next time.
CREATE OR REPLACE FUNCTION freshet.tend_watches() RETURNS TABLE (watched regclass, problem text)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms'
AS $$
DECLARE
    w freshet.watch;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('freshet.watch'), 0) THEN
        RETURN;   -- another instance is doing this
    END IF;
    IF EXISTS (SELECT FROM freshet.watch WHERE due IS NOT NULL) THEN
        PERFORM freshet.learn_time_zone();
    END IF;
    FOR w IN SELECT f.* FROM freshet.watch f JOIN pg_class c ON c.oid = f.watched ORDER BY number LOOP
        BEGIN
            PERFORM FROM freshet.watch f WHERE f.number = w.number FOR UPDATE SKIP LOCKED;
            CONTINUE WHEN NOT FOUND;
            PERFORM freshet.write_watch_functions(w.number);
            PERFORM freshet.write_moment_functions(w.number);
            IF (SELECT relowner FROM pg_class WHERE oid = w.watched) = freshet.role() THEN
                PERFORM freshet.set_triggers(w.watched, w.number);
                IF freshet.reads_otherwise(w.watched, w.due, w.read_as) IS NOT NULL THEN
                    PERFORM freshet.drop_unused_watches(w.watched, freshet.install_watch(w.watched,
                        freshet.prepare_watch(w.watched, w.templates, w.columns, w.due)));
                END IF;
            ELSIF freshet.reads_otherwise(w.watched, w.due, w.read_as) IS NOT NULL THEN
                watched := w.watched;
                problem := freshet.reads_otherwise(w.watched, w.due, w.read_as);
                RETURN NEXT;
            ELSIF freshet.lacks_triggers(w.watched, w.number) THEN
                watched := w.watched;
                problem := freshet.lacking(w.watched);
                RETURN NEXT;
            END IF;
        EXCEPTION WHEN lock_not_available OR insufficient_privilege OR undefined_table OR deadlock_detected
                OR undefined_column OR datatype_mismatch OR invalid_transaction_state THEN
            watched := w.watched;   -- the table is busy, or has just changed: left to the next time
            problem := SQLERRM;
            RETURN NEXT;
        END;
    END LOOP;
    PERFORM freshet.drop_unused_watches(NULL, NULL);
END $$;

-- Nobody can call these without USAGE on the schema, which only owners of watched tables have. Owners may call the
-- functions that run with their own rights.
REVOKE ALL ON FUNCTION freshet.tend_watches(), freshet.let_in_owner(regclass) FROM PUBLIC;
