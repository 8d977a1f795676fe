-- Targets, what is owed to them, and what was given up.

-- A row appears when a target's file is first accepted, and is deleted after the file is. Every copy of an app is a
-- target of its own, called by the route of the target that it is a copy of.
CREATE TABLE freshet.target (
    name          text        PRIMARY KEY,
    takes_queue   boolean     NOT NULL DEFAULT true,                  -- false: gets only what is sent to it
                                                                      -- by name (stats)
    batch         integer     NOT NULL DEFAULT 1,                     -- tags in one call
    accepted_at   timestamptz NOT NULL DEFAULT now(),
    served_at     timestamptz NOT NULL DEFAULT now(),                 -- when an instance last reported serving it
    deleted_at    timestamptz,                                        -- its file was deleted,
                                                                      -- and nobody has served it since
    failing_tags  text[]      NOT NULL DEFAULT '{}',                  -- one tag of each call without an answer,
                                                                      -- since the last one
    failed_at     timestamptz,                                        -- last call without an answer:
                                                                      -- for give-up.sql
    open_until    timestamptz,                                        -- breaker: null = closed;
                                                                      -- until then no call; after it, one probe
    opened_at     timestamptz,
    opened_times  integer     NOT NULL DEFAULT 0,                     -- number of probes in this outage
    copy_of       text,                                               -- the NAME in NAME@10.0.0.1:3000
    place         text,                                               -- of a copy, as listed: app.internal:3000
    ip            text,                                               -- what its host name resolves to,
                                                                      -- if DNS is asked
    missing_since timestamptz,                                        -- since when DNS no longer lists it
    goes_after    text,                                               -- the target that gets each tag first
    CONSTRAINT name_is_a_plain_word
        CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}(@[^@\s]+)?$' AND length(name) <= 500),
    CONSTRAINT batch_is_at_least_one CHECK (batch >= 1),
    CONSTRAINT open_knows_since_when CHECK ((open_until IS NULL) = (opened_at IS NULL)),
    CONSTRAINT copy_is_named_after_its_target CHECK (copy_of IS NULL OR starts_with(name, copy_of || '@')),
    CONSTRAINT copy_knows_its_place CHECK ((copy_of IS NULL) = (place IS NULL)),
    CONSTRAINT goes_after_another CHECK (goes_after NOT IN (name, copy_of))
) WITH (vacuum_truncate = off);
CREATE INDEX target_copies ON freshet.target (copy_of);

-- What is owed: at most one row per tag and target, whether for the first time or the hundredth.
CREATE TABLE freshet.delivery (
    tag              text        NOT NULL,
    target           text        NOT NULL,
    id               bigint      GENERATED ALWAYS AS IDENTITY,        -- with handover, names what a call covers
                                                                      -- (webhook-id)
    handover         bigint      NOT NULL,                            -- newest hand-over that is owed
    settled_handover bigint      NOT NULL DEFAULT 0,                  -- up to here every change has an outcome:
                                                                      -- delivered, or stored here as a retry
    handed_at        timestamptz NOT NULL DEFAULT now(),              -- of the newest change:
                                                                      -- FRESHET_RETRY_FOR counts from here
    changed_at       timestamptz NOT NULL,                            -- oldest change owed: latency counts from here
    due_at           timestamptz NOT NULL DEFAULT now(),              -- not before this; while leased: end of the lease
    rank             smallint    NOT NULL DEFAULT 0,                  -- 0: first attempts;
                                                                      -- 1: retries and replays; 2: failed often
    lease_id         uuid,
    claimed_handover bigint,                                          -- what the call in flight covers
    not_before       timestamptz,                                     -- what the target asked for with Retry-After
    together         integer,                                         -- the maximum number of tags in its call
                                                                      -- (a batch that was refused is halved)
    attempts         integer     NOT NULL DEFAULT 0,                  -- failed attempts since the last success
    first_failed_at  timestamptz,
    last_failed_at   timestamptz,
    last_status      integer,
    last_error       text,
    priority         smallint    NOT NULL DEFAULT 5,
    done_handover    bigint      NOT NULL DEFAULT 0,                  -- up to here, everything was delivered or given
                                                                      -- up; hand-overs before this delivery was created
                                                                      -- count as done; 0: not known
    owed_at          timestamptz NOT NULL DEFAULT now(),              -- since when its oldest change is owed here
    PRIMARY KEY (tag, target),
    CONSTRAINT leased_knows_what_it_claimed CHECK ((lease_id IS NULL) = (claimed_handover IS NULL)),
    CONSTRAINT failed_knows_when CHECK ((attempts = 0) = (first_failed_at IS NULL)),
    CONSTRAINT rank_is_one_of_three CHECK (rank BETWEEN 0 AND 2),
    CONSTRAINT priority_is_a_digit CHECK (priority BETWEEN 0 AND 9)
) WITH (fillfactor = 80, vacuum_truncate = off,
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
        -- never by itself: from what an ANALYZE finds in an almost empty queue, PostgreSQL makes plans that read all of
        -- a full one (measured: 2,400 tags a second instead of 6,800)
        autovacuum_analyze_threshold = 2000000000);

-- A call is named by the ids of the deliveries that it covers (webhook-id). If two databases call one receiver, they
-- must not give different changes the same name, which the receiver would take for a repetition. So each database
-- starts at another number.
SELECT setval(pg_get_serial_sequence('freshet.delivery', 'id'), (random() * 2 ^ 52)::bigint);
-- claim: what is due for a target, in each priority the oldest first, and retries after first attempts
CREATE INDEX delivery_due ON freshet.delivery (target, priority, rank, due_at);

-- What was given up: one row per tag and target, deleted by a later success.
CREATE TABLE freshet.dead_letter (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    target          text        NOT NULL,
    tag             text        NOT NULL,
    attempts        integer     NOT NULL,
    last_status     integer,
    last_error      text,
    first_failed_at timestamptz NOT NULL,
    last_failed_at  timestamptz NOT NULL,
    handover        bigint,                                           -- the letter is about the hand-overs after
    done_handover   bigint,                                           -- done_handover, up to this one; null: not known
    CONSTRAINT one_per_tag_and_target UNIQUE (tag, target)
) WITH (vacuum_truncate = off);
CREATE INDEX dead_letter_newest ON freshet.dead_letter (last_failed_at DESC, id);   -- GET /api/dead-letters

-- What targets may spend: calls and tags per second, from a bucket that all instances share (deliver/Budgets.java). As
-- in GCRA, a bucket is one moment: the time at which it will be full again. Spending moves that moment on. A bucket
-- whose moment has passed is full, and nobody has to fill it. So each call needs one row and one UPDATE, whatever the
-- limits are.
CREATE TABLE freshet.budget (
    name          text        PRIMARY KEY,          -- a target's, or one shared by targets of an account
    calls_full_at timestamptz NOT NULL,
    tags_full_at  timestamptz NOT NULL
) WITH (vacuum_truncate = off, fillfactor = 10);
COMMENT ON TABLE freshet.budget IS 'What targets have spent of their providers'' limits, for all instances';
