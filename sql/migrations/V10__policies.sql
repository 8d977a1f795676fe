-- Policies of tags: rows that say how the changes of certain tags are gathered and delivered. Written by
-- cache_invalidation_policy (sql/functions); an empty table costs the fold one look at an index.
CREATE TABLE freshet.policy (
    pattern  text        PRIMARY KEY,                 -- a tag, or a glob with *
    "like"   text        NOT NULL,                    -- the same for SQL's LIKE
    is_glob  boolean     NOT NULL,
    literal  integer     NOT NULL,                    -- characters other than *: of several that match the longest wins
    debounce interval,                                -- null, here and below: as the settings say
    at_once  boolean,
    profile  text,
    priority smallint,
    made_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT priority_is_a_digit CHECK (priority BETWEEN 0 AND 9),
    CONSTRAINT debounce_is_a_day_at_most CHECK (debounce BETWEEN interval '0' AND interval '1 day')
) WITH (vacuum_truncate = off);
-- of a glob, the one with the longest literal text first
CREATE INDEX policy_globs ON freshet.policy (literal DESC, pattern COLLATE "C") WHERE is_glob;
COMMENT ON TABLE freshet.policy IS 'What cache_invalidation_policy was told';

-- Which policies are in force: an instance that has read these reads them again when the number has grown. In the same
-- transaction as the policy, so that it is never seen without it. 0: there has never been one.
CREATE TABLE freshet.policies (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version  bigint  NOT NULL DEFAULT 0,
    labelled bigint  NOT NULL DEFAULT 0               -- what is owed already bears the priorities of this version
) WITH (vacuum_truncate = off);
INSERT INTO freshet.policies DEFAULT VALUES;
