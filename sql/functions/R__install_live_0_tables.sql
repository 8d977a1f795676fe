-- The tables whose changes become live events: whether they are as they have to be, and what their owner gets.
-- R__install_live_events says why everything is done by their owner.

-- Its caller may have no USAGE on schema freshet yet, so it cannot call freshet.live_types() itself.
CREATE OR REPLACE FUNCTION freshet.check_live_tables(types jsonb) RETURNS regrole
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_comma CONSTANT text := '(.*), (?=\w+\()';
    missing text;
    owner   regrole;
    other   record;
    lacking record;
    fewest  text;                                                     -- 'a(x), b(y, z) and c(x)'
    most    text;
BEGIN
    SELECT regexp_replace(string_agg(said, ', ' ORDER BY place) FILTER (WHERE needed), last_comma, '\1 and '),
           regexp_replace(string_agg(said, ', ' ORDER BY place), last_comma, '\1 and ')
    INTO fewest, most
    FROM (SELECT place, needed, format('%s(%s)', relation, array_to_string(reads, ', ')) AS said
          FROM jsonb_to_recordset(types) t(place integer, relation text, reads text[], needed boolean)) tables;
    FOR missing IN
        SELECT relation FROM jsonb_to_recordset(types) t(place integer, relation text, needed boolean)
        WHERE needed ORDER BY place
    LOOP
        IF NOT EXISTS (SELECT FROM pg_class
                       WHERE relnamespace = 'public'::regnamespace AND relname = missing AND relkind IN ('r', 'p')) THEN
            RAISE EXCEPTION 'there is no table public.%: live events need %', missing, fewest
                USING ERRCODE = 'undefined_table', HINT = 'Make it, then call install_live_events() again.';
        END IF;
    END LOOP;
    FOR other IN
        SELECT c.oid::regclass AS name, c.relowner::regrole AS owner
        FROM jsonb_to_recordset(types) t(place integer, relation text) JOIN pg_class c ON c.relname = t.relation
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        ORDER BY t.place
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
    FOR lacking IN
        SELECT t.relation, c.name
        FROM jsonb_to_recordset(types) t(place integer, relation text, reads text[])
        CROSS JOIN unnest(t.reads) WITH ORDINALITY c(name, n)
        WHERE to_regclass('public.' || t.relation) IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_attribute
            WHERE attrelid = to_regclass('public.' || t.relation) AND attname = c.name
              AND attnum > 0 AND NOT attisdropped)
        ORDER BY t.place, c.n
    LOOP
        RAISE EXCEPTION 'public.% has no column %', lacking.relation, lacking.name
            USING ERRCODE = 'undefined_column', HINT = format('Live events need %s.', most);
    END LOOP;
    RETURN owner;
END $$;

CREATE OR REPLACE FUNCTION freshet.must_own_live_tables() RETURNS regrole
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN freshet.check_live_tables(freshet.live_types());

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
    -- not by PUBLIC's right alone, which somebody may take away from all functions
    EXECUTE format('GRANT EXECUTE ON FUNCTION freshet.must_wake() TO %s', owner);
    RETURN owner;
END $$;

-- A reference to an artwork, for comparison with art.id: as it is if PostgreSQL can compare the two, otherwise through
-- text.
CREATE OR REPLACE FUNCTION freshet.live_reference(of regclass, col name) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- the types alone: a query on the tables could run their owner's code with the rights of a superuser who calls this
    EXECUTE (SELECT format('SELECT FROM (SELECT NULL::%s AS id OFFSET 0) a'
                           ' JOIN (SELECT NULL::%s AS id OFFSET 0) n ON a.id = n.id LIMIT 0',
                           format_type(a.atttypid, a.atttypmod), format_type(n.atttypid, n.atttypmod))
             FROM pg_attribute a, pg_attribute n
             WHERE a.attrelid = 'public.art'::regclass AND a.attname = 'id' AND n.attrelid = of AND n.attname = col);
    RETURN '%s.' || quote_ident(col);
EXCEPTION WHEN undefined_function THEN
    RETURN '%s.' || quote_ident(col) || '::text::'
        || (SELECT format_type(atttypid, atttypmod)
            FROM pg_attribute WHERE attrelid = 'public.art'::regclass AND attname = 'id');
END $$;
