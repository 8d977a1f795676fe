-- What the function does that a watch's statement triggers call: it queues the tags of the rows that a statement has
-- inserted, changed or deleted. `image` and `changed` are as in R__1_watch_changed_rows; the tags are expressions over
-- the rows o and n.
CREATE OR REPLACE FUNCTION freshet.body_for_statements(image text, old_tags text, new_tags text, changed text,
                                                       has_one_template boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    -- the condition, for one pair of rows o and n
    unchanged CONSTANT text := '(' || format(image, 'o') || ' OPERATOR(pg_catalog.*=) '
        || format(image, 'n') || ')';
    -- queries for the tags of many rows. unnest is in the target list, because as a function in FROM it costs 5 µs a
    -- row
    tags_of   CONSTANT text := 'SELECT DISTINCT pg_catalog.unnest(ARRAY[%s]) COLLATE pg_catalog."C" AS tag FROM %s';
    old_rows  CONSTANT text := format(tags_of, old_tags, 'old_rows o');
    new_rows  CONSTANT text := format(tags_of, new_tags, 'new_rows n');
BEGIN
    RETURN format($body$
DECLARE
    tags    pg_catalog.text[];
    queued  pg_catalog.text[];
    tag     pg_catalog.text;
    old_tag pg_catalog.text;   -- instead of tags where there is one template: arrays cost 4 µs
    new_tag pg_catalog.text;
    many    boolean := false;
    failure pg_catalog.text;
    same    boolean;
    jit     pg_catalog.text;
BEGIN
    -- Whatever goes wrong here must not fail the user's write. The block only reads, so it costs no transaction id.
    -- Most statements change one row: that is read without a join, an aggregate or a sort.
    BEGIN
        IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
            %7$s FROM old_rows o, new_rows n LIMIT 2;
        ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
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
            jit := pg_catalog.current_setting('jit');
            PERFORM pg_catalog.set_config('jit', 'off', true);
            -- Up to 10,000 rows' tags are collected first; more are written as they are found, at the price of a
            -- transaction id.
            IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
                IF EXISTS (SELECT FROM new_rows OFFSET 10000) THEN
                    INSERT INTO freshet.inbox (tag) SELECT freshet.fit_tag(d.tag)
                        FROM (%4$s) d WHERE d.tag IS NOT NULL;
                ELSE
                    SELECT pg_catalog.array_agg(d.tag) FILTER (WHERE d.tag IS NOT NULL) INTO queued FROM (%4$s) d;
                END IF;
            ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
                IF EXISTS (SELECT FROM new_rows OFFSET 10000) THEN
                    INSERT INTO freshet.inbox (tag) SELECT freshet.fit_tag(d.tag)
                        FROM (%5$s) d WHERE d.tag IS NOT NULL;
                ELSE
                    SELECT pg_catalog.array_agg(d.tag) FILTER (WHERE d.tag IS NOT NULL) INTO queued FROM (%5$s) d;
                END IF;
            ELSE
                IF EXISTS (SELECT FROM old_rows OFFSET 10000) THEN
                    INSERT INTO freshet.inbox (tag) SELECT freshet.fit_tag(d.tag)
                        FROM (%6$s) d WHERE d.tag IS NOT NULL;
                ELSE
                    SELECT pg_catalog.array_agg(d.tag) FILTER (WHERE d.tag IS NOT NULL) INTO queued FROM (%6$s) d;
                END IF;
            END IF;
            PERFORM pg_catalog.set_config('jit', jit, true);
        EXCEPTION WHEN OTHERS THEN
            failure := SQLERRM;   -- which takes the setting back as well
        END;
    ELSIF tags IS NOT NULL THEN
        FOREACH tag IN ARRAY tags LOOP
            CONTINUE WHEN tag IS NULL OR tag OPERATOR(pg_catalog.=) ANY (queued);
            queued := pg_catalog.array_append(queued, tag);
        END LOOP;
    END IF;
    IF failure IS NOT NULL THEN
        RAISE WARNING 'Freshet could not name the tags of this %% of %%: %%',
            TG_OP, TG_RELID::pg_catalog.regclass, failure
            USING HINT = 'SELECT * FROM cache_invalidation_watches tells why;'
                ' calling cache_invalidation_watch again mends it.';
        INSERT INTO freshet.inbox (tag) VALUES (NULL);
    ELSIF same THEN
        RETURN NULL;
    ELSIF %10$s THEN
        IF new_tag IS NOT NULL THEN
            INSERT INTO freshet.inbox (tag) VALUES (freshet.fit_tag(new_tag));
        END IF;
        IF old_tag OPERATOR(pg_catalog.<>) new_tag OR (old_tag IS NOT NULL AND new_tag IS NULL) THEN
            INSERT INTO freshet.inbox (tag) VALUES (freshet.fit_tag(old_tag));
        END IF;
    ELSIF pg_catalog.cardinality(queued) OPERATOR(pg_catalog.=) 1 THEN
        INSERT INTO freshet.inbox (tag) VALUES (freshet.fit_tag(queued[1]));
    ELSIF queued IS NOT NULL THEN
        INSERT INTO freshet.inbox (tag) SELECT freshet.fit_tag(t) FROM pg_catalog.unnest(queued) t;
    END IF;
    -- an instance that sleeps; what it wakes for is committed with the notification
    IF freshet.must_wake() THEN
        PERFORM pg_catalog.pg_notify('freshet_live', '');
    END IF;
    RETURN NULL;
END
$body$, unchanged, old_tags, new_tags, changed, new_rows, old_rows,
        CASE WHEN has_one_template
            THEN format('SELECT %s, %s, %s INTO STRICT same, old_tag, new_tag', unchanged, old_tags, new_tags)
             ELSE format('SELECT CASE WHEN NOT %s THEN ARRAY[%s, %s] END INTO STRICT tags', unchanged, old_tags,
                 new_tags) END,
        CASE WHEN has_one_template THEN format('SELECT %s INTO STRICT new_tag', new_tags)
            ELSE format('SELECT ARRAY[%s] INTO STRICT tags', new_tags) END,
        CASE WHEN has_one_template THEN format('SELECT %s INTO STRICT old_tag', old_tags)
            ELSE format('SELECT ARRAY[%s] INTO STRICT tags', old_tags) END,
        CASE WHEN has_one_template THEN 'NOT many' ELSE 'false' END);
END $generator$;

REVOKE ALL ON FUNCTION freshet.body_for_statements(text, text, text, text, boolean) FROM PUBLIC;
