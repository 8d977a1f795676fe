-- The way of a change: inbox -> cache_invalidation_queue -> delivery -> (gone | dead_letter).
-- docs/guarantees.md tells the algorithm; the statements that run it are in sql/queries.
-- Everything internal lives in schema freshet (Flyway made it); only what users see is in public.

REVOKE ALL ON SCHEMA freshet FROM PUBLIC;

-- The build whose sql/migrations and sql/functions are in force: an older one leaves them as they are
-- (source/Build.java). DELETE FROM freshet.build lets the next one that starts put its own in their place, whatever its
-- age.
CREATE TABLE freshet.build (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    digest     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Where users' transactions write: append-only, nothing unique, so that no writer ever meets another.
CREATE TABLE freshet.inbox (
    id         bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
    tag        text,                                                  -- null: `count` tags that a trigger had to skip
    changed_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    count      integer     NOT NULL DEFAULT 1,
    registry_knows boolean NOT NULL DEFAULT false                     -- the tag's entries have left the registry
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
CREATE INDEX inbox_oldest ON freshet.inbox (id);                      -- fold: the oldest first; probe: is it empty?
COMMENT ON TABLE freshet.inbox IS 'Changes as committed, until Freshet folds them into public.cache_invalidation_queue';

-- Counters that triggers and the fold feed; changed only by the one who holds the turn.
CREATE TABLE freshet.counter (
    name  text   PRIMARY KEY,
    value bigint NOT NULL
);

-- The table of the replaced worker: an existing one is adopted with its rows.
CREATE TABLE IF NOT EXISTS public.cache_invalidation_queue (
    tag                 text        NOT NULL,
    time_bucket         timestamptz NOT NULL,
    invalidation_count  integer     NOT NULL DEFAULT 1,
    last_invalidated_at timestamptz,                                  -- null: still to do
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tag, time_bucket)
);
-- A row's life:
--   to hand over   last_invalidated_at and handover are null, or invalidation_count has outgrown handed_count
--                  (a foreign upsert, a late commit: also onto a row that was processed long ago)
--   being delivered  handover names the hand-over that owed it to its targets
--   processed      last_invalidated_at is set: every target has it, or has it stored as a retry or a dead letter
ALTER TABLE public.cache_invalidation_queue
    ADD COLUMN IF NOT EXISTS handed_count integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS handover     bigint,
    ADD COLUMN IF NOT EXISTS changed_at   timestamptz;                -- oldest change not yet handed over
-- The adopted table's lock is held until here only; its rows and its index come next, in transactions of their own.
INSERT INTO freshet.counter (name, value) VALUES ('adopted_in', pg_current_xact_id()::text::bigint);

CREATE SEQUENCE freshet.handover_number;

-- Whom a change is owed to. A row appears when a target's file is first accepted and leaves when the file is deleted.
CREATE TABLE freshet.target (
    name          text        PRIMARY KEY,
    takes_queue   boolean     NOT NULL DEFAULT true,                  -- false: takes only what is sent to it
                                                                      -- by name (stats)
    batch         integer     NOT NULL DEFAULT 1,                     -- tags in one call
    accepted_at   timestamptz NOT NULL DEFAULT now(),
    served_at     timestamptz NOT NULL DEFAULT now(),                 -- when an instance last said that it serves it
    deleted_at    timestamptz,                                        -- its file was deleted,
                                                                      -- and nobody has served it since
    failing_tags  text[]      NOT NULL DEFAULT '{}',                  -- one tag of each call without an answer,
                                                                      -- since the last one
    failed_at     timestamptz,                                        -- last call without an answer:
                                                                      -- give-up.sql asks for it
    open_until    timestamptz,                                        -- breaker: null = closed;
                                                                      -- until then no call; after it, one probe
    opened_at     timestamptz,
    opened_times  integer     NOT NULL DEFAULT 0,                     -- how often the probe failed in this outage
    CONSTRAINT name_is_a_plain_word CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    CONSTRAINT batch_is_at_least_one CHECK (batch >= 1),
    CONSTRAINT open_knows_since_when CHECK ((open_until IS NULL) = (opened_at IS NULL))
);

-- What is owed: at most one row per tag and target, whether for the first time or the hundredth.
CREATE TABLE freshet.delivery (
    tag              text        NOT NULL,
    target           text        NOT NULL,
    id               bigint      GENERATED ALWAYS AS IDENTITY,        -- with handover: names what a call covers
                                                                      -- (webhook-id)
    handover         bigint      NOT NULL,                            -- newest hand-over that is owed
    settled_handover bigint      NOT NULL DEFAULT 0,                  -- up to here every change has an outcome:
                                                                      -- delivered, or stored here as a retry
    handed_at        timestamptz NOT NULL DEFAULT now(),              -- of the newest change:
                                                                      -- FRESHET_RETRY_FOR counts from here
    changed_at       timestamptz NOT NULL,                            -- oldest change owed: latency counts from here
    due_at           timestamptz NOT NULL DEFAULT now(),              -- not before; while leased: when the lease ends
    rank             smallint    NOT NULL DEFAULT 0,                  -- 0 first attempts,
                                                                      -- 1 retries and replays, 2 failed often
    lease_id         uuid,
    claimed_handover bigint,                                          -- what the call in flight covers
    not_before       timestamptz,                                     -- what the target asked for with Retry-After
    together         integer,                                         -- at most so many tags in its call
                                                                      -- (a batch that was refused is halved)
    attempts         integer     NOT NULL DEFAULT 0,                  -- failed ones since the last success
    first_failed_at  timestamptz,
    last_failed_at   timestamptz,
    last_status      integer,
    last_error       text,
    PRIMARY KEY (tag, target),
    CONSTRAINT leased_knows_what_it_claimed CHECK ((lease_id IS NULL) = (claimed_handover IS NULL)),
    CONSTRAINT failed_knows_when CHECK ((attempts = 0) = (first_failed_at IS NULL)),
    CONSTRAINT rank_is_one_of_three CHECK (rank BETWEEN 0 AND 2)
) WITH (fillfactor = 80, vacuum_truncate = off,
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
-- claim: what is due for a target, the oldest first, and what has failed after what has not been tried
CREATE INDEX delivery_due ON freshet.delivery (target, rank, due_at);

-- An audit table that was adopted may refuse a row (a constraint of its own). Then the work is done without that row:
-- it is counted and said in the log, and nothing else waits for it. Set by the transaction that does so, for itself.
CREATE FUNCTION freshet.audits() RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT coalesce(current_setting('freshet.audit', true), '') <> 'off' $$;
REVOKE ALL ON FUNCTION freshet.audits() FROM PUBLIC;

-- What was given up: one per tag and target, cleared by a later success.
CREATE TABLE freshet.dead_letter (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    target          text        NOT NULL,
    tag             text        NOT NULL,
    attempts        integer     NOT NULL,
    last_status     integer,
    last_error      text,
    first_failed_at timestamptz NOT NULL,
    last_failed_at  timestamptz NOT NULL,
    CONSTRAINT one_per_tag_and_target UNIQUE (tag, target)
);
CREATE INDEX dead_letter_newest ON freshet.dead_letter (last_failed_at DESC, id);   -- GET /api/dead-letters

-- Tags whose queue rows somebody else had locked when their outcome was written; the next turn marks them.
CREATE TABLE freshet.mark_later (
    tag text NOT NULL
) WITH (vacuum_truncate = off);
