-- Which policy a tag falls under, and how every instance learns that policies have changed.

-- The policy, or no row: the exact one, else of the globs the one with the longest literal text.
-- One meaning for all statements, which have it put in its place by the planner (plain SQL, STABLE, nothing set).
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

-- In the transaction that changes a policy.
CREATE OR REPLACE FUNCTION freshet.policies_changed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$ BEGIN
    UPDATE freshet.policies SET version = version + 1;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION freshet.policies_changed() FROM PUBLIC;

-- Here, where its function is made before it.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger
                   WHERE tgrelid = 'freshet.policy'::regclass AND tgname = 'freshet_policies_changed') THEN
        CREATE TRIGGER freshet_policies_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON freshet.policy
            FOR EACH STATEMENT EXECUTE FUNCTION freshet.policies_changed();
    END IF;
END $$;
