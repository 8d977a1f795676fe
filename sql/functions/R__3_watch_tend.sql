-- What keeps watches in order: dropping those that are no longer used, and adapting the others to their tables.

-- Drops watches that no trigger uses, and their functions: at once if the caller has just replaced or removed the
-- watches of this table, or if the table is gone. Any other watch is dropped after a day, because somebody may be
-- restoring a dump, which creates the triggers last. It is safe to call this at any time, because a function that a
-- trigger needs is never dropped:
--   * Whoever makes a watch again holds its row until others can see its triggers (prepare_watch). Such rows are
--     skipped.
--   * Once the row is locked, this looks for triggers again, in a statement with a newer snapshot. If the transaction
--     has only one snapshot, nothing is dropped; Freshet calls this every minute.
-- `after_this` is not used: as an argument it makes install_watch run first, in one expression.
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
        BEGIN
            EXECUTE format('DROP FUNCTION %s', function);
        EXCEPTION WHEN dependent_objects_still_exist THEN
            NULL;   -- somebody uses it elsewhere: it stays, and does nothing for a watch any more
        END;
    END LOOP;
END $$;

-- Freshet calls this every minute. It adapts the functions to their tables' columns, creates the statement triggers of
-- new partitions and records moments again if Freshet owns the table, and drops watches whose tables are gone. Returns
-- for each watch what only the owner of its table can solve, or the error that stopped this attempt. A watch that
-- somebody is making at the moment is left to the next time.
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
            -- Without a trigger there, somebody may have asked for a watch of a table that is not theirs.
            IF (SELECT relowner FROM pg_class WHERE oid = w.watched) = freshet.role()
                AND freshet.is_triggered(w.watched, w.number) THEN
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
        EXCEPTION WHEN OTHERS THEN
            -- Most often the table is busy or has just changed: the next run tries again. The others are tended.
            watched := w.watched;
            problem := SQLERRM;
            RETURN NEXT;
        END;
    END LOOP;
    PERFORM freshet.drop_unused_watches(NULL, NULL);
END $$;

-- Owners of watched tables have USAGE on this schema, but only Freshet may call this.
REVOKE ALL ON FUNCTION freshet.tend_watches() FROM PUBLIC;
