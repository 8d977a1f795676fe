-- Puts a watch in force. Freshet creates the functions (SECURITY DEFINER, in prepare_watch); the table's owner creates
-- the triggers and grants on it (SECURITY INVOKER). The public functions refer to these by oid (RETURN …), so no caller
-- needs USAGE on schema freshet to get here. prepare_watch then grants it to the table's owner, whose CREATE TRIGGER
-- has to name Freshet's functions.

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
