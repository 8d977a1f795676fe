-- Live events: how a committed row reaches open browser tabs. live_outbox -> live_event, in the order that the one
-- relay gives them.

-- The triggers on art, votes, bids and art_media write here: append-only and without unique constraints, so that
-- writers never wait for each other.
CREATE TABLE freshet.live_outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY (CACHE 1),
    type       text        NOT NULL,                                  -- art_updated, vote_cast, bid_placed,
                                                                      -- media_updated, manual_invalidation
    event_eid  text,                                                  -- null, or unfit for a URL:
                                                                      -- skipped, and counted
    operation  text,                                                  -- null: the only one of its type
    detail     json,                                                  -- the rest of the payload:
                                                                      -- art_id, round, easel, amount
    endpoints  text[],                                                -- null: derived from type and detail
    changes    integer     NOT NULL DEFAULT 1,                        -- more than 1: merged because of
                                                                      -- FRESHET_LIVE_LIMIT
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
CREATE INDEX live_outbox_oldest ON freshet.live_outbox (id);          -- relay: the oldest first, or none
COMMENT ON TABLE freshet.live_outbox IS 'Live events as committed, until the relay gives them their order';

-- What was published, in the order in which everyone reads it: ids have no gaps and become visible in order.
CREATE TABLE freshet.live_event (
    id           bigint      PRIMARY KEY,                             -- given out by live_relay, never by a sequence
    event_eid    text        NOT NULL,
    type         text        NOT NULL,
    table_name   text        NOT NULL,
    operation    text        NOT NULL,
    payload      text        NOT NULL,                                -- exactly what LISTEN and the stream get
    changes      integer     NOT NULL DEFAULT 1,
    changed_at   timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT eid_fits_into_a_url CHECK (event_eid ~ '^[A-Za-z0-9._-]{1,40}$'),
    CONSTRAINT payload_fits_into_a_notify CHECK (octet_length(payload) < 8000)
) WITH (vacuum_truncate = off);
CREATE INDEX live_event_of ON freshet.live_event (event_eid, id);     -- replay, history: one event's, after an id
CREATE INDEX live_event_published                                     -- get_cache_invalidation_stats,
    ON freshet.live_event (published_at);                             -- FRESHET_LIVE_LIMIT

-- The counter: whoever holds the lock on its row is the relay. A process that dies loses the lock with its connection.
CREATE TABLE freshet.live_relay (
    only_row   boolean PRIMARY KEY DEFAULT true,
    last_id    bigint  NOT NULL DEFAULT 0,                            -- newest id given out
    kept_after bigint  NOT NULL DEFAULT 0,                            -- every event with a higher id is still there
    CONSTRAINT there_is_only_one_row CHECK (only_row),
    CONSTRAINT kept_is_not_after_last CHECK (kept_after BETWEEN 0 AND last_id)
) WITH (vacuum_truncate = off, fillfactor = 10);
INSERT INTO freshet.live_relay DEFAULT VALUES;
