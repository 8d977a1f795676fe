-- What the function does that a watch's TRUNCATE triggers call. TRUNCATE has no transition table, so it reads the rows
-- (called o in `tags`) before they are removed. It gets the table's name from TG_RELID, so that a rename does no harm.
-- With row_security = off, a policy is an error, instead of running somebody's code with Freshet's rights.
CREATE OR REPLACE FUNCTION freshet.body_for_truncate(tags text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $generator$
BEGIN
    RETURN format($body$
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
    IF freshet.must_wake() THEN
        PERFORM pg_notify('freshet_live', '');
    END IF;
    RETURN NULL;
END
$body$, format('INSERT INTO freshet.inbox (tag) SELECT freshet.fit_tag(d.tag) FROM'
        ' (SELECT DISTINCT unnest(ARRAY[%s]) COLLATE "C" AS tag FROM %%s o) d WHERE d.tag IS NOT NULL',
            replace(tags, '%', '%%')));
END $generator$;

REVOKE ALL ON FUNCTION freshet.body_for_truncate(text) FROM PUBLIC;
