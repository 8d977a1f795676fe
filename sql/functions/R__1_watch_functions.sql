-- Generates the trigger functions of one watch: static SQL with cached plans, owned by Freshet, SECURITY DEFINER so
-- that writers need no rights on Freshet's objects. Measured per single-row UPDATE (one client, in addition to the bare
-- 4 µs): a constant INSERT costs 10 µs, these functions 14 to 16 µs, and the join of old and new rows, needed only for
-- several rows, 25 to 30 µs. bench/writers.sh measures them under load.

-- Creates the functions that are missing and replaces those that are out of date (a column has gone or changed its
-- type). Returns whether there were any.
CREATE OR REPLACE FUNCTION freshet.write_watch_functions(watch_number integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    w         freshet.watch;
    usable    text[];      -- templates whose columns all exist; one that lost a column must not silence the others
    needed    text[];      -- the columns that these use
    old_tags  text;        -- expressions over the rows o and n
    new_tags  text;
    image     text;        -- decides whether a row has changed
    old_rows  text;        -- queries for the tags of many rows
    new_rows  text;
    changed   text;
    unchanged text;        -- the condition, for one pair of rows o and n
    pair_tags text;        -- the tags of a changed row, old and new
    settings  text;
    bodies    text[];
    name      text;
    version   text;
    written   boolean := false;
BEGIN
    SELECT * INTO STRICT w FROM freshet.watch WHERE number = watch_number;
    SELECT array_agg(t.template ORDER BY t.place) INTO usable
    FROM unnest(w.templates) WITH ORDINALITY t(template, place)
    WHERE NOT EXISTS (SELECT FROM freshet.template_pieces(t.template) p WHERE p.col IS NOT NULL
        AND NOT freshet.has_column(w.watched, p.col));
    SELECT array_agg(DISTINCT p.col ORDER BY p.col) INTO needed
    FROM unnest(usable) t CROSS JOIN freshet.template_pieces(t) p WHERE p.col IS NOT NULL;
    SELECT coalesce(string_agg(freshet.tag_expression(w.watched, t, 'o'), ', ' ORDER BY place), 'NULL::text'),
           coalesce(string_agg(freshet.tag_expression(w.watched, t, 'n'), ', ' ORDER BY place), 'NULL::text')
    INTO old_tags, new_tags FROM unnest(usable) WITH ORDINALITY u(t, place);

    -- The whole row, or the columns that matter. Columns used in a tag always matter, or the tag of a former value
    -- would be lost. So do columns that hold a moment, or nothing would report a moment that is moved into the past.
    SELECT 'ROW(' || string_agg(DISTINCT '%1$s.' || quote_ident(c), ', ') || ')::record' INTO image
    FROM unnest(w.columns || needed || w.due) c WHERE w.columns IS NOT NULL AND freshet.has_column(w.watched, c);
    image := coalesce(image, '(%1$s.*)::record');

    -- The old tags are rendered as well only if a column used in a tag has changed.
    pair_tags := coalesce((SELECT format(
        'CASE WHEN ROW(%s)::record *= ROW(%s)::record THEN ARRAY[%s] ELSE ARRAY[%s, %s] END',
                                    string_agg('o.' || quote_ident(c), ', '), string_agg('n.' || quote_ident(c), ', '),
                                        new_tags, old_tags, new_tags)
                      FROM unnest(needed) c HAVING count(*) > 0), format('ARRAY[%s]', new_tags));
    -- unnest is in the target list, because as a function in FROM it costs 5 µs a row
    old_rows := format('SELECT DISTINCT unnest(ARRAY[%s]) COLLATE "C" AS tag FROM old_rows o', old_tags);
    new_rows := format('SELECT DISTINCT unnest(ARRAY[%s]) COLLATE "C" AS tag FROM new_rows n', new_tags);
    changed := format('SELECT row_number() OVER () AS "freshet place", %s AS "freshet image"%s', format(image, 'r'),
                      (SELECT string_agg(', r.' || quote_ident(c), '') FROM unnest(needed) c));
    changed := format('SELECT DISTINCT unnest(%2$s) COLLATE "C" AS tag'
        ' FROM (%1$s FROM old_rows r) o FULL JOIN (%1$s FROM new_rows r) n USING ("freshet place")'
                      ' WHERE (o."freshet image" *= n."freshet image") IS NOT TRUE', changed, pair_tags);

    unchanged := '(' || format(image, 'o') || ' *= ' || format(image, 'n') || ')';
    bodies[1] := format($body$
DECLARE
    tags    text[];
    queued  text[];
    tag     text;
    old_tag text;          -- instead of tags where there is one template: arrays cost 4 µs
    new_tag text;
    many    boolean := false;
    failure text;
    same    boolean;
    jit     text;
BEGIN
    -- Whatever goes wrong here must not fail the user's write. The block only reads, so it costs no transaction id.
    -- Most statements change one row: that is read without a join, an aggregate or a sort.
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            %7$s FROM old_rows o, new_rows n LIMIT 2;
        ELSIF TG_OP = 'INSERT' THEN
            %8$s FROM new_rows n LIMIT 2;
        ELSE
            %9$s FROM old_rows o LIMIT 2;
        END IF;
    EXCEPTION
        WHEN no_data_found THEN RETURN NULL;
        WHEN too_many_rows THEN many := true;
        WHEN OTHERS THEN failure := SQLERRM;
    END;
    IF many THEN
        -- Old and new rows are paired by their place in the transition tables. Were that order ever to differ, unequal
        -- pairs would name more tags, never fewer: images that cancel out under any pairing are the same before and
        -- after. A plan made for a large statement would have later ones compiled first; set here, as a SET clause
        -- costs every call 2 µs.
        BEGIN
            jit := current_setting('jit');
            PERFORM set_config('jit', 'off', true);
            -- Up to 10,000 rows' tags are collected first; more are written as they are found, at the price of a
            -- transaction id.
            IF TG_OP = 'UPDATE' THEN
                IF EXISTS (SELECT FROM new_rows OFFSET 10000) THEN
                    INSERT INTO freshet.inbox (tag) SELECT CASE WHEN length(d.tag) BETWEEN 1 AND 256 THEN d.tag END
                        FROM (%4$s) d WHERE d.tag IS NOT NULL;
                ELSE
                    SELECT array_agg(d.tag) FILTER (WHERE d.tag IS NOT NULL) INTO queued FROM (%4$s) d;
                END IF;
            ELSIF TG_OP = 'INSERT' THEN
                IF EXISTS (SELECT FROM new_rows OFFSET 10000) THEN
                    INSERT INTO freshet.inbox (tag) SELECT CASE WHEN length(d.tag) BETWEEN 1 AND 256 THEN d.tag END
                        FROM (%5$s) d WHERE d.tag IS NOT NULL;
                ELSE
                    SELECT array_agg(d.tag) FILTER (WHERE d.tag IS NOT NULL) INTO queued FROM (%5$s) d;
                END IF;
            ELSE
                IF EXISTS (SELECT FROM old_rows OFFSET 10000) THEN
                    INSERT INTO freshet.inbox (tag) SELECT CASE WHEN length(d.tag) BETWEEN 1 AND 256 THEN d.tag END
                        FROM (%6$s) d WHERE d.tag IS NOT NULL;
                ELSE
                    SELECT array_agg(d.tag) FILTER (WHERE d.tag IS NOT NULL) INTO queued FROM (%6$s) d;
                END IF;
            END IF;
            PERFORM set_config('jit', jit, true);
        EXCEPTION WHEN OTHERS THEN
            failure := SQLERRM;   -- which takes the setting back as well
        END;
    ELSIF tags IS NOT NULL THEN
        FOREACH tag IN ARRAY tags LOOP
            CONTINUE WHEN tag IS NULL OR tag = ANY (queued);
            queued := queued || tag;
        END LOOP;
    END IF;
    IF failure IS NOT NULL THEN
        RAISE WARNING 'Freshet could not name the tags of this %% of %%: %%', TG_OP, TG_RELID::regclass, failure
            USING HINT = 'SELECT * FROM cache_invalidation_watches tells why;'
                ' calling cache_invalidation_watch again mends it.';
        INSERT INTO freshet.inbox (tag) VALUES (NULL);
    -- A tag that is too long or empty becomes a row without a tag, which the fold counts as skipped.
    ELSIF same THEN
        RETURN NULL;
    ELSIF %10$s THEN
        IF new_tag IS NOT NULL THEN
            INSERT INTO freshet.inbox (tag) VALUES (CASE WHEN length(new_tag) BETWEEN 1 AND 256 THEN new_tag END);
        END IF;
        IF old_tag <> new_tag OR (old_tag IS NOT NULL AND new_tag IS NULL) THEN
            INSERT INTO freshet.inbox (tag) VALUES (CASE WHEN length(old_tag) BETWEEN 1 AND 256 THEN old_tag END);
        END IF;
    ELSIF cardinality(queued) = 1 THEN
        INSERT INTO freshet.inbox (tag) VALUES (CASE WHEN length(queued[1]) BETWEEN 1 AND 256 THEN queued[1] END);
    ELSIF queued IS NOT NULL THEN
        INSERT INTO freshet.inbox (tag) SELECT CASE WHEN length(t) BETWEEN 1 AND 256 THEN t END FROM unnest(queued) t;
    END IF;
    -- an instance that sleeps; what it wakes for is committed with the notification
    IF date_part('epoch', now()) < pg_sequence_last_value('freshet.asleep_until'::regclass) THEN
        PERFORM pg_notify('freshet_live', '');
    END IF;
    RETURN NULL;
END
$body$, unchanged, old_tags, new_tags, changed, new_rows, old_rows,
        CASE WHEN cardinality(usable) = 1
            THEN format('SELECT %s, %s, %s INTO STRICT same, old_tag, new_tag', unchanged, old_tags, new_tags)
             ELSE format('SELECT CASE WHEN NOT %s THEN ARRAY[%s, %s] END INTO STRICT tags', unchanged, old_tags,
                 new_tags) END,
        CASE WHEN cardinality(usable) = 1 THEN format('SELECT %s INTO STRICT new_tag', new_tags)
            ELSE format('SELECT ARRAY[%s] INTO STRICT tags', new_tags) END,
        CASE WHEN cardinality(usable) = 1 THEN format('SELECT %s INTO STRICT old_tag', old_tags)
            ELSE format('SELECT ARRAY[%s] INTO STRICT tags', old_tags) END,
        CASE WHEN cardinality(usable) = 1 THEN 'NOT many' ELSE 'false' END);

    -- For partitions. They have no transition tables, so this function counts rows instead of statements. It never
    -- compares rows of two partitions: a move between partitions is a delete and an insert.
    bodies[2] := format($body$
DECLARE
    tags    text[];
    queued  text[];
    tag     text;
    failure text;
BEGIN
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF %1$s THEN
                RETURN NULL;
            END IF;
            tags := ARRAY[%2$s, %3$s];
        ELSIF TG_OP = 'INSERT' THEN
            tags := ARRAY[%3$s];
        ELSE
            tags := ARRAY[%2$s];
        END IF;
    EXCEPTION WHEN OTHERS THEN
        failure := SQLERRM;
    END;
    IF failure IS NOT NULL THEN
        RAISE WARNING 'Freshet could not name the tags of this %% of %%: %%', TG_OP, TG_RELID::regclass, failure
            USING HINT = 'SELECT * FROM cache_invalidation_watches tells why;'
                ' calling cache_invalidation_watch again mends it.';
        INSERT INTO freshet.inbox (tag) VALUES (NULL);
        RETURN NULL;
    END IF;
    FOREACH tag IN ARRAY tags LOOP
        CONTINUE WHEN tag IS NULL OR tag = ANY (queued);
        queued := queued || tag;
        INSERT INTO freshet.inbox (tag) VALUES (CASE WHEN length(tag) BETWEEN 1 AND 256 THEN tag END);
    END LOOP;
    IF date_part('epoch', now()) < pg_sequence_last_value('freshet.asleep_until'::regclass) THEN
        PERFORM pg_notify('freshet_live', '');
    END IF;
    RETURN NULL;
END
$body$, CASE WHEN image = '(%1$s.*)::record' THEN 'old *= new'
    ELSE format(image, 'old') || ' *= ' || format(image, 'new') END,
        (SELECT coalesce(string_agg(freshet.tag_expression(w.watched, t, 'old'), ', ' ORDER BY place), 'NULL::text')
            FROM unnest(usable) WITH ORDINALITY u(t, place)),
        (SELECT coalesce(string_agg(freshet.tag_expression(w.watched, t, 'new'), ', ' ORDER BY place), 'NULL::text')
            FROM unnest(usable) WITH ORDINALITY u(t, place)));

    -- TRUNCATE has no transition table, so this function reads the rows before they are removed. It gets the table's
    -- name from TG_RELID, so that a rename does no harm. With row_security = off, a policy is an error, instead of
    -- running somebody's code with Freshet's rights.
    bodies[3] := format($body$
BEGIN
    BEGIN
        IF freshet.foreign_code_in(TG_RELID) IS NOT NULL THEN
            RAISE EXCEPTION '%% would run with the rights of Freshet', freshet.foreign_code_in(TG_RELID);
        END IF;
        EXECUTE format(%1$L, TG_RELID::regclass);
    EXCEPTION
        WHEN serialization_failure OR deadlock_detected THEN
            RAISE;
        WHEN OTHERS THEN
            RAISE WARNING 'Freshet could not name the tags of this TRUNCATE of %%: %%', TG_RELID::regclass, SQLERRM
                USING HINT = 'SELECT * FROM cache_invalidation_watches tells why;'
                    ' calling cache_invalidation_watch again mends it.';
            INSERT INTO freshet.inbox (tag) VALUES (NULL);
            RETURN NULL;
    END;
    -- It removes every row, but only names those that its transaction sees.
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE WARNING 'Freshet may have missed tags of this TRUNCATE of %%: its %% transaction does not see all rows',
            TG_RELID::regclass, current_setting('transaction_isolation')
            USING HINT = 'What others committed since it began is removed unnamed: use READ COMMITTED.';
        INSERT INTO freshet.inbox (tag) VALUES (NULL);
    END IF;
    IF date_part('epoch', now()) < pg_sequence_last_value('freshet.asleep_until'::regclass) THEN
        PERFORM pg_notify('freshet_live', '');
    END IF;
    RETURN NULL;
END
$body$, format('INSERT INTO freshet.inbox (tag) SELECT CASE WHEN length(d.tag) BETWEEN 1 AND 256 THEN d.tag END FROM'
        ' (SELECT DISTINCT unnest(ARRAY[%s]) COLLATE "C" AS tag FROM %%s o) d WHERE d.tag IS NOT NULL',
            replace(old_tags, '%', '%%')));

    settings := freshet.rendering_settings(w.watched, needed);
    FOR part IN 1..3 LOOP
        name := format('watch_%s%s', w.number, (ARRAY['', '_row', '_truncate'])[part]);
        version := 'Freshet: generated, ' || md5(bodies[part] || settings);
        CONTINUE WHEN version = obj_description(to_regprocedure(format('freshet.%I()', name)), 'pg_proc');
        EXECUTE format('CREATE OR REPLACE FUNCTION freshet.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER '
                       'SET search_path = pg_catalog, pg_temp%s%s AS %L',
                       name, CASE WHEN part = 3 THEN ' SET row_security = off' END, settings, bodies[part]);
        -- A trigger function can be called only as a trigger. Whoever adds a partition needs this right, because
        -- PostgreSQL then clones the trigger.
        EXECUTE format('GRANT EXECUTE ON FUNCTION freshet.%I() TO PUBLIC', name);
        EXECUTE format('COMMENT ON FUNCTION freshet.%I() IS %L', name, version);
        written := true;
    END LOOP;
    RETURN written;
END $generator$;

-- Reading a table can run its owner's code: while planning, PostgreSQL evaluates the constant parts of the table's
-- index, constraint, statistics and partition expressions. Returns a function used there whose owner does not have
-- Freshet's rights anyway; null if there is none.
CREATE OR REPLACE FUNCTION freshet.foreign_code_in(watched regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE family(id) AS (
    SELECT watched::oid
    UNION SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.id
), holder(classid, objid) AS (
    SELECT 'pg_class'::regclass::oid, id FROM family
    UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid IN (SELECT id FROM family)
    UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid IN (SELECT id FROM family)
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid IN (SELECT id FROM family)
), code(id) AS (
    SELECT d.refobjid FROM pg_depend d JOIN holder h USING (classid, objid) WHERE d.refclassid = 'pg_proc'::regclass
    UNION SELECT o.oprcode FROM pg_depend d JOIN holder h USING (classid, objid)
        JOIN pg_operator o ON o.oid = d.refobjid
    WHERE d.refclassid = 'pg_operator'::regclass
)
SELECT min(p.oid::regprocedure::text) FROM code JOIN pg_proc p ON p.oid = code.id
WHERE NOT pg_has_role(p.proowner, (SELECT nspowner FROM pg_namespace WHERE nspname = 'freshet'), 'MEMBER')
$$;

REVOKE ALL ON FUNCTION freshet.write_watch_functions(integer) FROM PUBLIC;
