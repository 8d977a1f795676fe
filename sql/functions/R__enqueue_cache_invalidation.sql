-- Queues tags by hand, inside the caller's transaction: SELECT enqueue_cache_invalidation('tag'), or ARRAY['a', 'b'].
DO $$ BEGIN PERFORM freshet.step_aside('enqueue_cache_invalidation'); END $$;

-- The array form does the work; it checks all tags before it writes any.
CREATE OR REPLACE FUNCTION public.enqueue_cache_invalidation(tags text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tag text;
BEGIN
    FOREACH tag IN ARRAY coalesce(tags, '{}') LOOP
        IF tag IS NULL THEN
            RAISE EXCEPTION 'a tag must not be null'
                USING ERRCODE = 'null_value_not_allowed', HINT = 'Write a tag of 1 to 256 characters.';
        ELSIF length(tag) NOT BETWEEN 1 AND 256 THEN
            RAISE EXCEPTION 'a tag has 1 to 256 characters; this one has %: %',
                    length(tag), quote_literal(left(tag, 40))
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'Write a shorter tag, for example a hash of the long part; '
                             'nothing of this call was queued.';
        END IF;
    END LOOP;
    INSERT INTO freshet.inbox (tag) SELECT DISTINCT t COLLATE "C" FROM unnest(tags) t;
    -- wakes an instance that is asleep
    IF freshet.must_wake() THEN
        PERFORM pg_notify('freshet_live', '');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION public.enqueue_cache_invalidation(tag text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.enqueue_cache_invalidation(ARRAY[tag]);
END $$;

DO $$
BEGIN
    PERFORM freshet.settle_in('public.enqueue_cache_invalidation(text[])', 'pg_proc',
        'queues tags, inside the caller''s transaction', '{service_role}');
END $$;
DO $$
BEGIN
    PERFORM freshet.settle_in('public.enqueue_cache_invalidation(text)', 'pg_proc',
        'queues a tag, inside the caller''s transaction', '{service_role}');
END $$;
