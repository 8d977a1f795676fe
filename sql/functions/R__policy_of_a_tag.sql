-- Determines which policy applies to a tag, and tells every instance that policies have changed.

-- The policy, or no row: the exact tag's, otherwise that of the glob with the longest literal text. All statements
-- share this definition; the planner inlines it into them (plain SQL, STABLE, no SET clauses).
CREATE OR REPLACE FUNCTION freshet.policy_of(wanted text) RETURNS SETOF freshet.policy
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

-- Runs in the transaction that changes a policy.
CREATE OR REPLACE FUNCTION freshet.policies_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$ BEGIN
    UPDATE freshet.policies SET version = version + 1;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION freshet.policies_changed() FROM PUBLIC;

-- Here and not in a migration, because the function has to exist first.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger
                   WHERE tgrelid = 'freshet.policy'::regclass AND tgname = 'freshet_policies_changed') THEN
        CREATE TRIGGER freshet_policies_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON freshet.policy
            FOR EACH STATEMENT EXECUTE FUNCTION freshet.policies_changed();
    END IF;
END $$;
