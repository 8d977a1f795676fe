-- The tables whose changes become live events: whether they are as they have to be, and what their owner gets.
-- R__install_live_events says why everything is done by their owner.

CREATE OR REPLACE FUNCTION freshet.must_own_live_tables() RETURNS regrole
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing text := '';
    owner   regrole;
    other   record;
    needed  record;
BEGIN
    FOREACH missing IN ARRAY ARRAY['events', 'art'] LOOP
        IF NOT EXISTS (SELECT FROM pg_class
                       WHERE relnamespace = 'public'::regnamespace AND relname = missing AND relkind IN ('r', 'p')) THEN
            RAISE EXCEPTION 'there is no table public.%: live events need events(id, eid) '
                            'and art(id, event_id, round, easel, status, description)', missing
                USING ERRCODE = 'undefined_table', HINT = 'Make it, then call install_live_events() again.';
        END IF;
    END LOOP;
    FOR other IN
        SELECT c.oid::regclass AS name, c.relowner::regrole AS owner FROM pg_class c
        WHERE relnamespace = 'public'::regnamespace AND relname IN ('events', 'art', 'votes', 'bids', 'art_media')
          AND relkind IN ('r', 'p')
        ORDER BY array_position(ARRAY['events', 'art', 'votes', 'bids', 'art_media'], relname::text)
    LOOP
        owner := coalesce(owner, other.owner);
        IF NOT pg_has_role(other.owner, 'USAGE') THEN
            RAISE EXCEPTION 'only the owner of % may have its changes sent', other.name
                USING ERRCODE = 'insufficient_privilege',
                HINT = format('Ask %s to call this.', other.owner);
        ELSIF other.owner <> owner THEN
            RAISE EXCEPTION '% belongs to %, but public.events to %: one role has to own them all',
                    other.name, other.owner, owner
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('ALTER TABLE %s OWNER TO %s', other.name, owner);
        END IF;
    END LOOP;
    FOR needed IN
        SELECT t AS table_name, c AS column_name
        FROM (VALUES ('events', '{id,eid}'::text[]), ('art', '{id,event_id,round,easel,status,description}'),
                     ('votes', '{art_id}'),
                     ('bids', '{art_id,amount}'), ('art_media', '{artwork_id}')) v(t, cs) CROSS JOIN unnest(cs) c
        WHERE to_regclass('public.' || t) IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = to_regclass('public.' || t) AND attname = c AND attnum > 0 AND NOT attisdropped)
    LOOP
        RAISE EXCEPTION 'public.% has no column %', needed.table_name, needed.column_name
            USING ERRCODE = 'undefined_column',
                  HINT = 'Live events need events(id, eid), art(id, event_id, round, easel, status, description), '
                         'votes(art_id), bids(art_id, amount) and art_media(artwork_id).';
    END LOOP;
    RETURN owner;
END $$;

CREATE OR REPLACE FUNCTION freshet.open_live_outbox(asked_for regrole) RETURNS regrole
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- not the argument, because anyone may call this
    owner CONSTANT regrole := (SELECT relowner FROM pg_class WHERE oid = to_regclass('public.events'));
BEGIN
    PERFORM freshet.let_in_owner('public.events'::regclass);
    IF NOT has_table_privilege(owner, 'freshet.live_outbox', 'INSERT') THEN
        EXECUTE format('GRANT INSERT ON freshet.live_outbox TO %s', owner);
    END IF;
    IF NOT has_sequence_privilege(owner, 'freshet.asleep_until', 'SELECT') THEN
        EXECUTE format('GRANT SELECT ON SEQUENCE freshet.asleep_until TO %s', owner);
    END IF;
    RETURN owner;
END $$;

-- A reference to an artwork, for comparison with art.id: as it is if PostgreSQL can compare the two, otherwise through
-- text.
CREATE OR REPLACE FUNCTION freshet.live_reference(of regclass, col name) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('SELECT FROM public.art a JOIN %s n ON a.id = n.%I LIMIT 0', of, col);
    RETURN '%s.' || quote_ident(col);
EXCEPTION WHEN undefined_function THEN
    RETURN '%s.' || quote_ident(col) || '::text::'
        || (SELECT format_type(atttypid, atttypmod)
            FROM pg_attribute WHERE attrelid = 'public.art'::regclass AND attname = 'id');
END $$;
