-- How a change moves: inbox -> cache_invalidation_queue -> delivery -> (gone | dead_letter). docs/guarantees.md
-- explains the algorithm. The statements that run it are in sql/queries, the functions in sql/functions. Everything
-- internal is in the schema freshet (which Flyway created); only what users see is in public.

REVOKE ALL ON SCHEMA freshet FROM PUBLIC;

-- The build whose sql/migrations and sql/functions are in force. An older build leaves them as they are
-- (database/Build.java). After DELETE FROM freshet.build, the next build that starts installs its own, whatever its
-- age.
CREATE TABLE freshet.build (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    digest     text        NOT NULL,
    history    text,    -- digest of Flyway's table after the last file; null until then
    applied_at timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);

-- Users' transactions write here: append-only and without unique constraints, so that writers never wait for each
-- other.
CREATE TABLE freshet.inbox (
    id         bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
    tag        text,                                                  -- null: a trigger had to skip `count` tags
    changed_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    count      integer     NOT NULL DEFAULT 1,
    registry_knows boolean NOT NULL DEFAULT false                     -- the tag's entries have left the registry
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
CREATE INDEX inbox_oldest ON freshet.inbox (id);                      -- fold: the oldest first; inbox-has-changes
COMMENT ON TABLE freshet.inbox IS 'Changes as committed, until Freshet folds them into public.cache_invalidation_queue';

-- Counters, such as the tags that triggers had to skip.
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
-- The states of a row:
--   to hand over     last_invalidated_at and handover are null, or invalidation_count has grown beyond handed_count
--                    (an upsert by someone else, a late commit: even on a row that was processed long ago)
--   being delivered  handover names the hand-over that made it owed to its targets
--   processed        last_invalidated_at is set: every target has it, or has it stored as a retry or a dead letter
ALTER TABLE public.cache_invalidation_queue
    ADD COLUMN IF NOT EXISTS handed_count integer NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS handover     bigint,
    ADD COLUMN IF NOT EXISTS changed_at   timestamptz,                -- oldest change not yet handed over
    ADD COLUMN IF NOT EXISTS ripe_at      timestamptz,                -- null: FRESHET_DEBOUNCE after its bucket began
    ADD COLUMN IF NOT EXISTS quiet_at     timestamptz,                -- a window of `at_once`: until then its tag
                                                                      -- has not been quiet
    ADD COLUMN IF NOT EXISTS priority     smallint NOT NULL DEFAULT 5;   -- of rows with a ripe_at
-- The adopted table is locked only until here; its rows and its indexes follow, in transactions of their own.
INSERT INTO freshet.counter (name, value) VALUES ('adopted_in', pg_current_xact_id()::text::bigint);

CREATE SEQUENCE freshet.handover_number;

-- Tags whose queue rows someone else had locked when their outcome was written; the next turn marks them.
CREATE TABLE freshet.mark_later (
    tag text NOT NULL
) WITH (vacuum_truncate = off);

-- An instance that has seen nothing for two seconds stops asking many times a second; whoever commits wakes it with one
-- NOTIFY. This is the time until when an instance may be asleep, in seconds since 1970; if it is in the past, all are
-- awake. It is a sequence because a sequence is not part of any snapshot: a new value counts for every writer at once.
-- Reading it waits for nobody, and setting it leaves no dead rows.
CREATE SEQUENCE freshet.asleep_until;
COMMENT ON SEQUENCE freshet.asleep_until IS 'Until when writers wake an instance that is asleep, in seconds since 1970';
