-- Demo data: a live painting event with its auction, told to open pages as it happens. Run at every start with the demo
-- on. All or nothing: where one of the names is somebody else's, or the tables are there already, everything is left as
-- it is.
DO $demo$
DECLARE
    relations CONSTANT text[] := ARRAY['events', 'art', 'votes', 'bids', 'art_media'];
    loaded    boolean;
    strangers text;
    relation  text;
BEGIN
    PERFORM pg_advisory_xact_lock(7382085);                           -- two instances that start at the same time
    SELECT count(*) > 0,
           string_agg(relname, ', ' ORDER BY relname) FILTER (WHERE NOT freshet.is_ours(oid, 'pg_class'))
    INTO loaded, strangers
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY (relations);
    IF strangers IS NOT NULL THEN
        RAISE WARNING 'The demo leaves events, art, votes, bids and art_media alone: % was there before', strangers;
    END IF;
    IF loaded THEN
        RETURN;
    END IF;

    CREATE TABLE public.events (
        id   uuid NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
        eid  text NOT NULL UNIQUE,
        name text NOT NULL
    );
    CREATE TABLE public.art (
        id          uuid        NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
        event_id    uuid        NOT NULL REFERENCES public.events ON DELETE CASCADE,
        round       integer     NOT NULL CHECK (round BETWEEN 1 AND 9),
        easel       integer     NOT NULL CHECK (easel BETWEEN 1 AND 99),
        artist      text        NOT NULL,
        status      text        NOT NULL DEFAULT 'painting' CHECK (status IN ('painting', 'voting', 'auction', 'sold')),
        description text        NOT NULL DEFAULT '',
        updated_at  timestamptz NOT NULL DEFAULT now(),
        UNIQUE (event_id, round, easel)
    );
    CREATE TABLE public.votes (
        id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        art_id  uuid        NOT NULL REFERENCES public.art ON DELETE CASCADE,
        cast_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX ON public.votes (art_id);
    CREATE TABLE public.bids (
        id        bigint        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        art_id    uuid          NOT NULL REFERENCES public.art ON DELETE CASCADE,
        amount    numeric(10,2) NOT NULL CHECK (amount > 0),
        bidder    text          NOT NULL DEFAULT 'somebody in the hall',
        placed_at timestamptz   NOT NULL DEFAULT now()
    );
    CREATE INDEX ON public.bids (art_id, amount DESC);
    CREATE TABLE public.art_media (
        id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        artwork_id uuid        NOT NULL REFERENCES public.art ON DELETE CASCADE,
        url        text        NOT NULL,
        caption    text        NOT NULL DEFAULT '',
        taken_at   timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX ON public.art_media (artwork_id);
    FOREACH relation IN ARRAY relations LOOP
        EXECUTE format('COMMENT ON TABLE public.%I IS %L', relation, 'Freshet: demo data');
    END LOOP;

    -- Three rounds of twelve painters, the last one still at work
    INSERT INTO public.events (eid, name)
    VALUES ('AB3028', 'Paint-off at the Old Brewery'), ('AB3029', 'Paint-off on the Pier');
    INSERT INTO public.art (event_id, round, easel, artist, status, description)
    SELECT e.id, round, easel,
           (ARRAY['Ada', 'Bram', 'Chiara', 'Dmitri', 'Edith', 'Femi', 'Greta', 'Hiro', 'Ines', 'Jonas', 'Kofi',
                  'Lena'])[1 + (easel + 4 * round) % 12],
           (ARRAY['auction', 'voting', 'painting'])[round],
           (ARRAY['Harbour at dawn', 'Two chairs', 'The long field', 'Portrait of a neighbour', 'Rain on tin',
                  'Market day'])[1 + (7 * round + easel) % 6]
    FROM public.events e CROSS JOIN generate_series(1, 3) round CROSS JOIN generate_series(1, 12) easel
    WHERE e.eid = 'AB3028' OR round = 1 AND easel <= 4;
    INSERT INTO public.votes (art_id)
    SELECT a.id
    FROM public.art a CROSS JOIN generate_series(1, 40) n
    WHERE a.status <> 'painting' AND n <= (a.easel * 13 + a.round * 7) % 40;
    INSERT INTO public.bids (art_id, amount, bidder)
    SELECT a.id, 40 + 10 * n + a.easel, (ARRAY['Noor', 'Oskar', 'Priya'])[1 + n % 3]
    FROM public.art a CROSS JOIN generate_series(1, 6) n
    WHERE a.status = 'auction' AND n <= a.easel % 7;
    INSERT INTO public.art_media (artwork_id, url, caption)
    SELECT a.id, format('/demo/art/%s-%s.svg', a.round, a.easel), 'On the easel' FROM public.art a;

    PERFORM public.install_live_events();
END $demo$;
