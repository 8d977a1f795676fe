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
);
COMMENT ON TABLE freshet.policy IS 'What cache_invalidation_policy was told';

-- Which policies are in force: an instance that has read these reads them again when the number has grown. In the same
-- transaction as the policy, so that it is never seen without it. 0: there has never been one.
CREATE TABLE freshet.policies (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    version  bigint  NOT NULL DEFAULT 0,
    labelled bigint  NOT NULL DEFAULT 0               -- what is owed already bears the priorities of this version
);
INSERT INTO freshet.policies DEFAULT VALUES;
CREATE FUNCTION freshet.policies_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$ BEGIN
    UPDATE freshet.policies SET version = version + 1;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION freshet.policies_changed() FROM PUBLIC;
CREATE TRIGGER freshet_policies_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON freshet.policy
    FOR EACH STATEMENT EXECUTE FUNCTION freshet.policies_changed();

-- of a glob, the one with the longest literal text first
CREATE INDEX policy_globs ON freshet.policy (literal DESC, pattern COLLATE "C") WHERE is_glob;

-- The policy that a tag falls under, or no row: the exact one, else of the globs the one with the longest literal text.
-- One meaning for all statements, which have it put in its place by the planner (plain SQL, STABLE, nothing set).
CREATE FUNCTION freshet.policy_of(wanted text) RETURNS SETOF freshet.policy
LANGUAGE sql STABLE
AS $$
SELECT * FROM (
    SELECT * FROM freshet.policy WHERE pattern = wanted AND NOT is_glob
    UNION ALL
    SELECT * FROM (SELECT * FROM freshet.policy WHERE is_glob AND wanted LIKE "like"
                   ORDER BY literal DESC, pattern COLLATE "C" LIMIT 1) globs) both_kinds
LIMIT 1
$$;
REVOKE ALL ON FUNCTION freshet.policy_of(text) FROM PUBLIC;

-- A queue row that is ripe at a moment of its own, not when its bucket has had FRESHET_DEBOUNCE.
ALTER TABLE public.cache_invalidation_queue
    ADD COLUMN IF NOT EXISTS ripe_at  timestamptz,    -- null: by its bucket
    ADD COLUMN IF NOT EXISTS quiet_at timestamptz,    -- a window of `at_once`: before this its tag has not been quiet
    ADD COLUMN IF NOT EXISTS priority smallint NOT NULL DEFAULT 5;    -- of rows with a moment of their own

ALTER TABLE freshet.delivery
    ADD COLUMN priority smallint NOT NULL DEFAULT 5,
    ADD CONSTRAINT priority_is_a_digit CHECK (priority BETWEEN 0 AND 9);
-- claim: what is due for a target, of each priority the oldest first, and what has failed after what has not been tried
DROP INDEX freshet.delivery_due;
CREATE INDEX delivery_due ON freshet.delivery (target, priority, rank, due_at);
