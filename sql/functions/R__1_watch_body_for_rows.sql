-- The body of the function that a watch's row triggers call. A statement that names a partitioned table fires no
-- statement trigger of its partitions, so a partition that is watched by itself needs row triggers. There,
-- invalidation_count counts rows instead of statements. The function never compares rows of two partitions: a move
-- between partitions is a delete and an insert. `image` is as in R__1_watch_changed_rows; the tags are expressions over
-- the rows old and new.
CREATE OR REPLACE FUNCTION freshet.body_for_rows(image text, old_tags text, new_tags text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $generator$
DECLARE
    is_whole_row CONSTANT boolean := image = '(%1$s.*)::record';
BEGIN
    RETURN freshet.fill_in($body$
DECLARE
    tags    text[];
    queued  text[];
    tag     text;
    failure text;
BEGIN
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            IF {old_image} *= {new_image} THEN
                RETURN NULL;
            END IF;
            tags := ARRAY[{old_tags}, {new_tags}];
        ELSIF TG_OP = 'INSERT' THEN
            tags := ARRAY[{new_tags}];
        ELSE
            tags := ARRAY[{old_tags}];
        END IF;
    EXCEPTION WHEN OTHERS THEN
        failure := SQLERRM;
    END;
    IF failure IS NOT NULL THEN
        {report_failure};
        RETURN NULL;
    END IF;
    FOREACH tag IN ARRAY tags LOOP
        CONTINUE WHEN tag IS NULL OR tag = ANY (queued);
        queued := queued || tag;
        {queue_tag};
    END LOOP;
    {wake_sleeper};
    RETURN NULL;
END
$body$, jsonb_build_object(
        'old_image', CASE WHEN is_whole_row THEN 'old' ELSE format(image, 'old') END,
        'new_image', CASE WHEN is_whole_row THEN 'new' ELSE format(image, 'new') END,
        'old_tags', old_tags,
        'new_tags', new_tags,
        'report_failure', freshet.report_failure('name the tags', 'failure'),
        'queue_tag', freshet.queue_one('tag'),
        'wake_sleeper', freshet.wake_sleeper()));
END $generator$;

REVOKE ALL ON FUNCTION freshet.body_for_rows(text, text, text) FROM PUBLIC;
