-- The way of a change: inbox -> cache_invalidation_queue -> delivery -> (gone | dead_letter).
-- docs/guarantees.md tells the algorithm; the statements that run it are in sql/queries, functions in sql/functions.
-- Everything internal lives in schema freshet (Flyway made it); only what users see is in public.

REVOKE ALL ON SCHEMA freshet FROM PUBLIC;

-- The build whose sql/migrations and sql/functions are in force: an older one leaves them as they are
-- (database/Build.java). DELETE FROM freshet.build lets the next one that starts put its own in their place, whatever
-- its age.
CREATE TABLE freshet.build (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    digest     text        NOT NULL,
    history    text,    -- a digest of Flyway's table after the last file; null until then
    applied_at timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);

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
) WITH (vacuum_truncate = off);

-- The table of the replaced worker: an existing one is adopted with its rows.
CREATE TABLE IF NOT EXISTS public.cache_invalidation_queue (
    tag                 text        NOT NULL,
    time_bucket         timestamptz NOT NULL,
    invalidation_count  integer     NOT NULL DEFAULT 1,
    last_invalidated_at timestamptz,                                  -- null: still to do
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tag, time_bucket)
) WITH (vacuum_truncate = off);
-- A row's life:
--   to hand over   last_invalidated_at and handover are null, or invalidation_count has outgrown handed_count
--                  (a foreign upsert, a late commit: also onto a row that was processed long ago)
--   being delivered  handover names the hand-over that owed it to its targets
--   processed      last_invalidated_at is set: every target has it, or has it stored as a retry or a dead letter
ALTER TABLE public.cache_invalidation_queue
    ADD COLUMN IF NOT EXISTS handed_count integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS handover     bigint,
    ADD COLUMN IF NOT EXISTS changed_at   timestamptz,                -- oldest change not yet handed over
    ADD COLUMN IF NOT EXISTS ripe_at      timestamptz,                -- null: when its bucket has had FRESHET_DEBOUNCE
    ADD COLUMN IF NOT EXISTS quiet_at     timestamptz,                -- a window of `at_once`: before this its tag
                                                                      -- has not been quiet
    ADD COLUMN IF NOT EXISTS priority     smallint NOT NULL DEFAULT 5;   -- of rows with a ripe_at
-- The adopted table's lock is held until here only; its rows and its indexes come next, in transactions of their own.
INSERT INTO freshet.counter (name, value) VALUES ('adopted_in', pg_current_xact_id()::text::bigint);

CREATE SEQUENCE freshet.handover_number;

-- Tags whose queue rows somebody else had locked when their outcome was written; the next turn marks them.
CREATE TABLE freshet.mark_later (
    tag text NOT NULL
) WITH (vacuum_truncate = off);

-- An instance that has seen nothing for some seconds stops asking many times a second; whoever commits wakes it with
-- one NOTIFY. Until when somebody may be asleep, in seconds since 1970; in the past: everybody is awake. It is a
-- sequence because a sequence is not part of anybody's snapshot: what was set counts for every writer from that moment
-- on. To read it waits for nobody, and it leaves no dead rows behind.
CREATE SEQUENCE freshet.asleep_until;
COMMENT ON SEQUENCE freshet.asleep_until IS 'Until when writers wake an instance that is asleep, in seconds since 1970';
