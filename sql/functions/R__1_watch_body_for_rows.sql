-- What the function does that a watch's row triggers call. They are for partitions, which have no transition tables, so
-- it counts rows instead of statements. It never compares rows of two partitions: a move between partitions is a delete
-- and an insert. `image` is as in R__1_watch_changed_rows; the tags are expressions over the rows old and new.
CREATE OR REPLACE FUNCTION freshet.body_for_rows(image text, old_tags text, new_tags text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $generator$
BEGIN
    RETURN format($body$
DECLARE
    tags    pg_catalog.text[];
    queued  pg_catalog.text[];
    tag     pg_catalog.text;
    failure pg_catalog.text;
BEGIN
    BEGIN
        IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
            IF %1$s THEN
                RETURN NULL;
            END IF;
            tags := ARRAY[%2$s, %3$s];
        ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
            tags := ARRAY[%3$s];
        ELSE
            tags := ARRAY[%2$s];
        END IF;
    EXCEPTION WHEN OTHERS THEN
        failure := SQLERRM;
    END;
    IF failure IS NOT NULL THEN
        RAISE WARNING 'Freshet could not name the tags of this %% of %%: %%',
            TG_OP, TG_RELID::pg_catalog.regclass, failure
            USING HINT = 'SELECT * FROM cache_invalidation_watches tells why;'
                ' calling cache_invalidation_watch again mends it.';
        INSERT INTO freshet.inbox (tag) VALUES (NULL);
        RETURN NULL;
    END IF;
    FOREACH tag IN ARRAY tags LOOP
        CONTINUE WHEN tag IS NULL OR tag OPERATOR(pg_catalog.=) ANY (queued);
        queued := pg_catalog.array_append(queued, tag);
        INSERT INTO freshet.inbox (tag) VALUES (freshet.fit_tag(tag));
    END LOOP;
    IF freshet.must_wake() THEN
        PERFORM pg_catalog.pg_notify('freshet_live', '');
    END IF;
    RETURN NULL;
END
$body$, CASE WHEN image = '(%1$s.*)::pg_catalog.record' THEN 'old OPERATOR(pg_catalog.*=) new'
    ELSE format(image, 'old') || ' OPERATOR(pg_catalog.*=) ' || format(image, 'new') END, old_tags, new_tags);
END $generator$;

REVOKE ALL ON FUNCTION freshet.body_for_rows(text, text, text) FROM PUBLIC;
