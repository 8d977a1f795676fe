-- The body of the function that a watch's TRUNCATE triggers call. TRUNCATE has no transition table, so the function
-- reads the rows (called o in `tags`) before they are removed. It gets the table's name from TG_RELID, so that a rename
-- does no harm. The rows come from a subquery, which has no type of its own: o.length of a table without such a column
-- would be length(o), with the owner's cast of the table's type.
-- With row_security = off, a policy is an error, instead of running somebody's code with Freshet's rights.
CREATE OR REPLACE FUNCTION freshet.body_for_truncate(tags text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    -- a format, for the name of the table
    queue_rows CONSTANT text := freshet.queue_all(format(
        'SELECT DISTINCT unnest(ARRAY[%s]) COLLATE "C" AS tag FROM (SELECT * FROM %%s) o', replace(tags, '%', '%%')));
BEGIN
    RETURN freshet.fill_in($body$
DECLARE
    -- TRUNCATE removes every row, but such a transaction sees neither all rows nor all code that reading them would
    -- run.
    sees_less CONSTANT boolean :=
        current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted');
BEGIN
    IF sees_less AND freshet.foreign_owner_of(TG_RELID) IS NOT NULL THEN
        RAISE WARNING 'Freshet did not name the tags of this TRUNCATE of %: its % transaction does not see all rows',
            TG_RELID::regclass, current_setting('transaction_isolation')
            USING HINT = 'Use READ COMMITTED.';
        {queue_skipped};
        {wake_sleeper};
        RETURN NULL;
    END IF;
    BEGIN
        -- TRUNCATE ONLY has not locked children, which are read as well
        EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', TG_RELID::regclass);
        IF freshet.foreign_code_in(TG_RELID) IS NOT NULL THEN
            RAISE EXCEPTION '% would run with the rights of Freshet', freshet.foreign_code_in(TG_RELID);
        END IF;
        EXECUTE format({queue_rows}, TG_RELID::regclass);
    EXCEPTION
        WHEN serialization_failure OR deadlock_detected THEN
            RAISE;
        WHEN OTHERS THEN
            {report_failure};
            RETURN NULL;
    END;
    IF sees_less THEN
        RAISE WARNING 'Freshet may have missed tags of this TRUNCATE of %: its % transaction does not see all rows',
            TG_RELID::regclass, current_setting('transaction_isolation')
            USING HINT = 'What others committed since it began is removed unnamed: use READ COMMITTED.';
        {queue_skipped};
    END IF;
    {wake_sleeper};
    RETURN NULL;
END
$body$, jsonb_build_object(
        'queue_rows', quote_literal(queue_rows),
        'report_failure', freshet.report_failure('name the tags', 'SQLERRM'),
        'queue_skipped', freshet.queue_one('NULL'),
        'wake_sleeper', freshet.wake_sleeper()));
END $generator$;

REVOKE ALL ON FUNCTION freshet.body_for_truncate(text) FROM PUBLIC;
