-- The way in: what cache_invalidation_watch remembers.

-- One row per watch. Its trigger functions are freshet.watch_<number>(), …_row() and …_truncate(); they never look at
-- this table. regclass travels through pg_dump as a name, so a restored row finds its table again although oids have
-- changed.
CREATE TABLE freshet.watch (
    number    integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    watched   regclass    NOT NULL,
    templates text[]      NOT NULL,
    columns   text[],                                                 -- null: every column matters
    made_at   timestamptz NOT NULL DEFAULT now(),
    without_triggers_since timestamptz,                               -- seen by the worker; after a day it goes
    due       text[],                                                 -- columns that hold moments; null: none
    read_as   text                                                    -- their types and time zone
                                                                      -- when its moments were taken in
) WITH (vacuum_truncate = off);
COMMENT ON TABLE freshet.watch
    IS 'What cache_invalidation_watch was asked for; pg_trigger knows whether it is in force';

-- By the clock: the moments at which rows of a watch with `due` columns become something else, though nobody writes.
-- moment_change (as triggers append) -> moment (folded) -> public.cache_invalidation_queue, when the moment has come.

-- Where users' transactions write: append-only, nothing unique, so that no writer ever meets another.
CREATE TABLE freshet.moment_change (
    id     bigint      GENERATED ALWAYS AS IDENTITY (CACHE 1),
    watch  integer     NOT NULL,
    tag    text        NOT NULL,
    at     timestamptz NOT NULL,
    change integer     NOT NULL  -- so many rows with this moment more, or fewer
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
CREATE INDEX moment_change_oldest ON freshet.moment_change (id);  -- fold-moments: the oldest first; probe: is it empty?
COMMENT ON TABLE freshet.moment_change IS
    'Moments that rows gained and lost, until they are folded into freshet.moment';

-- Moments to come; changed only by the one who holds the clock (take-clock.sql). No foreign key: a watch that somebody
-- is about to remove must not hold up the others. What has no watch any more is forgotten.
CREATE TABLE freshet.moment (
    watch integer     NOT NULL,
    tag   text        NOT NULL,
    at    timestamptz NOT NULL,
    count bigint      NOT NULL,  -- rows that have it; below 0 where a loss was folded before its gain
    PRIMARY KEY (watch, tag, at)
) WITH (fillfactor = 90, vacuum_truncate = off,
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX moment_next ON freshet.moment (at);  -- probe: when is the next? queue-moments: what has come?

-- The server's own time zone, as learned from a session that nobody had given another (freshet.learn_time_zone).
CREATE TABLE freshet.server_time_zone (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    name       text        NOT NULL,
    learned_at timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);
