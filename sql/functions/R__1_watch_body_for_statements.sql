-- The body of the function that a watch's statement triggers call. It queues the tags of the rows that a statement has
-- inserted, changed or deleted. `image` and `changed` are as in R__1_watch_changed_rows; the tags are expressions over
-- the rows o and n.
CREATE OR REPLACE FUNCTION freshet.body_for_statements(image text, old_tags text, new_tags text, changed text,
                                                       has_one_template boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    -- the condition, for one pair of rows o and n
    unchanged CONSTANT text := format('(%s *= %s)', format(image, 'o'), format(image, 'n'));
    -- queries for the tags of many rows. unnest is in the target list, because as a function in FROM it costs 5 µs a
    -- row
    tags_of   CONSTANT text := 'SELECT DISTINCT unnest(ARRAY[%s]) COLLATE "C" AS tag FROM %s';
    inserted  CONSTANT text := format(tags_of, new_tags, 'new_rows n');
    deleted   CONSTANT text := format(tags_of, old_tags, 'old_rows o');
    -- Up to 10,000 rows' tags are collected first; more are written as they are found, at the price of a transaction
    -- id.
    take      CONSTANT text := 'IF EXISTS (SELECT FROM %1$s OFFSET 10000) THEN %3$s; ELSE'
        ' SELECT array_agg(d.tag) FILTER (WHERE d.tag IS NOT NULL) INTO queued FROM (%2$s) d; END IF';
BEGIN
    RETURN freshet.fill_in($body$
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
            SELECT {read_both} FROM old_rows o, new_rows n LIMIT 2;
        ELSIF TG_OP = 'INSERT' THEN
            SELECT {read_new} FROM new_rows n LIMIT 2;
        ELSE
            SELECT {read_old} FROM old_rows o LIMIT 2;
        END IF;
    EXCEPTION
        WHEN no_data_found THEN RETURN NULL;
        WHEN too_many_rows THEN many := true;
        WHEN OTHERS THEN failure := SQLERRM;
    END;
    IF many THEN
        -- Old and new rows are paired by their place in the transition tables. If that order ever differed, unequal
        -- pairs would name more tags, never fewer: images that cancel out under any pairing are the same before and
        -- after. JIT is off here: a plan made for a large statement would be compiled for later, small ones too. A SET
        -- clause would cost every call 2 µs.
        BEGIN
            jit := current_setting('jit');
            PERFORM set_config('jit', 'off', true);
            IF TG_OP = 'UPDATE' THEN
                {take_changed};
            ELSIF TG_OP = 'INSERT' THEN
                {take_inserted};
            ELSE
                {take_deleted};
            END IF;
            PERFORM set_config('jit', jit, true);
        EXCEPTION WHEN OTHERS THEN
            failure := SQLERRM;   -- leaving the block also restores jit
        END;
    ELSIF tags IS NOT NULL THEN
        FOREACH tag IN ARRAY tags LOOP
            CONTINUE WHEN tag IS NULL OR tag = ANY (queued);
            queued := queued || tag;
        END LOOP;
    END IF;
    IF failure IS NOT NULL THEN
        {report_failure};
    ELSIF same THEN
        RETURN NULL;
    ELSIF {has_one_template} AND NOT many THEN
        IF new_tag IS NOT NULL THEN
            {queue_new_tag};
        END IF;
        IF old_tag <> new_tag OR (old_tag IS NOT NULL AND new_tag IS NULL) THEN
            {queue_old_tag};
        END IF;
    ELSIF cardinality(queued) = 1 THEN
        {queue_only_tag};
    ELSIF queued IS NOT NULL THEN
        {queue_collected};
    ELSIF NOT many THEN
        RETURN NULL;           -- nothing is queued
    END IF;
    {wake_sleeper};
    RETURN NULL;
END
$body$, jsonb_build_object(
        'has_one_template', has_one_template,
        'read_both', CASE WHEN has_one_template
            THEN format('%s, %s, %s INTO STRICT same, old_tag, new_tag', unchanged, old_tags, new_tags)
            ELSE format('CASE WHEN NOT %s THEN ARRAY[%s, %s] END INTO STRICT tags', unchanged, old_tags, new_tags) END,
        'read_new', format(CASE WHEN has_one_template THEN '%s INTO STRICT new_tag'
            ELSE 'ARRAY[%s] INTO STRICT tags' END, new_tags),
        'read_old', format(CASE WHEN has_one_template THEN '%s INTO STRICT old_tag'
            ELSE 'ARRAY[%s] INTO STRICT tags' END, old_tags),
        'take_changed', format(take, 'new_rows', changed, freshet.queue_all(changed)),
        'take_inserted', format(take, 'new_rows', inserted, freshet.queue_all(inserted)),
        'take_deleted', format(take, 'old_rows', deleted, freshet.queue_all(deleted)),
        'report_failure', freshet.report_failure('name the tags', 'failure'),
        'queue_new_tag', freshet.queue_one('new_tag'),
        'queue_old_tag', freshet.queue_one('old_tag'),
        'queue_only_tag', freshet.queue_one('queued[1]'),
        'queue_collected', freshet.queue_all('SELECT t AS tag FROM unnest(queued) t'),
        'wake_sleeper', freshet.wake_sleeper()));
END $generator$;

REVOKE ALL ON FUNCTION freshet.body_for_statements(text, text, text, text, boolean) FROM PUBLIC;
