-- SELECT manual_cache_invalidation('AB3028'), or ('AB3028', '/live/event/AB3028-1-4/bids'): notifies live pages by
-- hand, inside the caller's transaction.
DO $$ BEGIN PERFORM freshet.step_aside('manual_cache_invalidation'); END $$;

CREATE OR REPLACE FUNCTION public.manual_cache_invalidation(event_eid text, endpoint text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF coalesce(event_eid, '') !~ '^[A-Za-z0-9._-]{1,40}$' THEN
        RAISE EXCEPTION 'an event id has 1 to 40 letters, digits, -, _ and .; this one is %',
                coalesce(quote_literal(left(event_eid, 60)), 'null')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Write events.eid, such as ''AB3028''.';
    ELSIF length(endpoint) NOT BETWEEN 1 AND 1024 THEN
        RAISE EXCEPTION 'an endpoint has 1 to 1024 characters; this one has %', length(endpoint)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = format('Write for example ''/live/event/%s'', or leave it out.', event_eid);
    END IF;
    INSERT INTO freshet.live_outbox (type, event_eid, endpoints)
    VALUES ('manual_invalidation', event_eid, CASE WHEN endpoint IS NOT NULL THEN ARRAY[endpoint] END);
    -- wakes an instance that is asleep
    IF freshet.must_wake() THEN
        PERFORM pg_notify('freshet_live', '');
    END IF;
END $$;

DO $$
BEGIN
    PERFORM freshet.settle_in('public.manual_cache_invalidation(text, text)', 'pg_proc',
        'notifies live pages by hand, inside the caller''s transaction', '{service_role}');
END $$;
