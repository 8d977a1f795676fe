-- What the generated functions of watches share: statements, as text, and the names of the transition tables.

-- A function whose trigger names no transition tables finds these empty views. Otherwise it would find temporary views
-- of the same names, whose functions would run with Freshet's rights.
CREATE OR REPLACE VIEW freshet.old_rows AS SELECT NULL::integer AS "no transition table" WHERE false;
CREATE OR REPLACE VIEW freshet.new_rows AS SELECT NULL::integer AS "no transition table" WHERE false;

-- Puts pieces into the places that a function's text calls {name}. The pieces are not searched for such names, because
-- a column may be called {tag}.
CREATE OR REPLACE FUNCTION freshet.fill_in(body text, pieces jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    filled text := '';
    part   text;
    piece  text;
BEGIN
    FOR part IN SELECT m[1] FROM regexp_matches(body, '(\{\w+\}|[^{]+|\{)', 'g') m LOOP
        piece := CASE WHEN part ~ '^\{\w+\}$' THEN pieces ->> btrim(part, '{}') ELSE part END;
        IF piece IS NULL THEN
            RAISE EXCEPTION 'there is no piece for %', part;
        END IF;
        filled := filled || piece;
    END LOOP;
    RETURN filled;
END $$;

-- Puts one tag, an expression, into the inbox; NULL is a tag that had to be skipped.
CREATE OR REPLACE FUNCTION freshet.queue_one(tag text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format('INSERT INTO freshet.inbox (tag) VALUES (freshet.fit_tag(%s))', tag);

-- Puts the tags of a query, which calls them tag, into the inbox. A NULL among them is a template whose column is null:
-- there is nothing to queue.
CREATE OR REPLACE FUNCTION freshet.queue_all(tags text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format('INSERT INTO freshet.inbox (tag) SELECT freshet.fit_tag(d.tag)'
              ' FROM (%s) d WHERE d.tag IS NOT NULL', tags);

-- What a trigger does instead of failing: it warns, and the fold counts a skipped tag. `failure` is an expression.
CREATE OR REPLACE FUNCTION freshet.report_failure(task text, failure text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN format('RAISE WARNING ''Freshet could not %s of this %% of %%: %%'','
              ' TG_OP, TG_RELID::regclass, %s'
              ' USING HINT = ''If cache_invalidation_watches shows a problem of this table,'
              ' calling cache_invalidation_watch again mends it. Otherwise this warning names the cause.''; %s',
              task, failure, freshet.queue_one('NULL'));

-- Wakes an instance that sleeps; what it wakes for is committed with the notification.
CREATE OR REPLACE FUNCTION freshet.wake_sleeper() RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN 'IF freshet.must_wake() THEN PERFORM pg_notify(''freshet_live'', ''''); END IF';

REVOKE ALL ON FUNCTION freshet.fill_in(text, jsonb), freshet.queue_one(text), freshet.queue_all(text),
    freshet.report_failure(text, text), freshet.wake_sleeper() FROM PUBLIC;
