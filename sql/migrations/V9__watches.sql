-- Where changes come in: what cache_invalidation_watch records.

-- One row per watch. Its trigger functions are freshet.watch_<number>(), …_row() and …_truncate(); they never read this
-- table. pg_dump writes a regclass as a name, so a restored row finds its table again although oids have changed.
CREATE TABLE freshet.watch (
    number    integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    watched   regclass    NOT NULL,
    templates text[]      NOT NULL,
    columns   text[],                                                 -- null: every column matters
    made_at   timestamptz NOT NULL DEFAULT now(),
    without_triggers_since timestamptz,                               -- noticed by the worker; deleted after a day
    due       text[],                                                 -- columns that hold moments; null: none
    read_as   text                                                    -- their types and time zone
                                                                      -- when its moments were recorded
) WITH (vacuum_truncate = off);
COMMENT ON TABLE freshet.watch
    IS 'What cache_invalidation_watch was called with; pg_trigger shows whether it is in force';

-- By the clock: the moments at which rows of a watch with `due` columns become something else, although nobody writes.
-- moment_change (to which triggers append) -> moment (folded) -> public.cache_invalidation_queue, when the moment has
-- come.

-- Users' transactions write here: append-only and without unique constraints, so that writers never wait for each
-- other.
CREATE TABLE freshet.moment_change (
    id     bigint      GENERATED ALWAYS AS IDENTITY (CACHE 1),
    watch  integer     NOT NULL,
    tag    text        NOT NULL,
    at     timestamptz NOT NULL,
    change integer     NOT NULL  -- how many more rows have this moment, or fewer
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
CREATE INDEX moment_change_oldest ON freshet.moment_change (id);  -- fold-moments: the oldest first; next-moment
COMMENT ON TABLE freshet.moment_change IS
    'Moments that rows have gained and lost, until they are folded into freshet.moment';

-- Moments still to come; only the instance that holds the clock changes them (take-clock.sql). No foreign key: a watch
-- that somebody is about to remove must not hold up the others. Moments that no longer have a watch are deleted.
CREATE TABLE freshet.moment (
    watch integer     NOT NULL,
    tag   text        NOT NULL,
    at    timestamptz NOT NULL,
    count bigint      NOT NULL,  -- rows that have it; below 0 where a loss was folded before its gain
    PRIMARY KEY (watch, tag, at)
) WITH (fillfactor = 90, vacuum_truncate = off,
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX moment_next ON freshet.moment (at);  -- next-moment; queue-moments: which have come?

-- The server's own time zone, as read by a session for which nobody had set another (freshet.learn_time_zone).
CREATE TABLE freshet.server_time_zone (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    name       text        NOT NULL,
    learned_at timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);
