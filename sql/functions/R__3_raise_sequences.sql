-- A copy of the database made by logical replication (for a cut-over, or blue/green) has every row, but its sequences
-- start again below numbers that are taken. A hand-over whose number is too low would count as one that was settled
-- long ago, and its change would be lost; a key that is taken would make inserts fail. Freshet calls this at every
-- start, and you may call it at any time: it only ever raises sequences. Returns those that it raised.
CREATE OR REPLACE FUNCTION freshet.raise_sequences() RETURNS TABLE (sequence regclass, goes_on_from bigint)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    used    record;
    highest bigint;
    last    bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7382089);   -- two simultaneous calls would set each other back
    FOR used IN
        SELECT 'freshet.handover_number'::regclass AS drawn_from,
               'freshet.delivery'::regclass AS relation, 'handover'::name AS col
        UNION ALL SELECT 'freshet.handover_number'::regclass, 'public.cache_invalidation_queue'::regclass, 'handover'
        UNION ALL SELECT s, 'public.invalidation_audit'::regclass, 'id'
        FROM to_regclass('freshet.invalidation_audit_id') s WHERE s IS NOT NULL
        UNION ALL
        SELECT d.objid, d.refobjid, a.attname
        FROM pg_depend d
        JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_class t ON t.oid = d.refobjid
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
          AND (t.relnamespace = 'freshet'::regnamespace OR t.oid = 'public.invalidation_audit'::regclass)
    LOOP
        EXECUTE format('SELECT max(%I)::bigint FROM %s', used.col, used.relation) INTO highest;
        EXECUTE format('SELECT last_value FROM %s', used.drawn_from) INTO last;
        IF highest > last THEN
            -- well above the highest, so that numbers that others draw between the two steps are not given out again
            PERFORM setval(used.drawn_from, highest + 1000);
            sequence := used.drawn_from;
            goes_on_from := highest + 1000;
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION freshet.raise_sequences() FROM PUBLIC;
