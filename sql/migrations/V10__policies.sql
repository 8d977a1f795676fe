-- Policies of tags: rows that say how the changes of certain tags are gathered and delivered. cache_invalidation_policy
-- (sql/functions) writes them. An empty table costs the fold one look at an index.
CREATE TABLE freshet.policy (
    pattern  text        PRIMARY KEY,                 -- a tag, or a glob with *
    "like"   text        NOT NULL,                    -- the same as a pattern for LIKE
    is_glob  boolean     NOT NULL,
    literal  integer     NOT NULL,                    -- characters other than *: the longest match wins
    debounce interval,                                -- null, here and below: the settings apply
    at_once  boolean,
    profile  text,
    priority smallint,
    made_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT priority_is_a_digit CHECK (priority BETWEEN 0 AND 9),
    CONSTRAINT debounce_is_a_day_at_most CHECK (debounce BETWEEN interval '0' AND interval '1 day')
) WITH (vacuum_truncate = off);
-- for globs: the one with the longest literal text first
CREATE INDEX policy_globs ON freshet.policy (literal DESC, pattern COLLATE "C") WHERE is_glob;
COMMENT ON TABLE freshet.policy IS 'What cache_invalidation_policy was called with';

-- The version of the policies in force: if the number has grown, an instance reads the policies again. It changes in
-- the same transaction as the policies, so that neither is ever seen without the other. 0: there has never been a
-- policy.
CREATE TABLE freshet.policies (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version  bigint  NOT NULL DEFAULT 0,
    labelled bigint  NOT NULL DEFAULT 0               -- what is owed already has the priorities of this version
) WITH (vacuum_truncate = off);
INSERT INTO freshet.policies DEFAULT VALUES;
