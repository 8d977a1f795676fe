-- For targets that go after another one (freshet.target.goes_after; sql/queries/deliver/claim.sql).

-- Up to which hand-over a tag has been delivered to the target `ahead`, and to each of its copies; no limit where none
-- of them is owed it. What has been owed for half a minute is not waited for: one copy that hangs must not keep an edge
-- stale. When it has been told after all, those who did not wait are owed the tag again (owe-after.sql).
-- VOLATILE, so that it sees what was committed until the claim had the row's lock: with the claim's own view it would
-- not see the debt of a hand-over that it waited for, but cover it.
CREATE OR REPLACE FUNCTION freshet.done_ahead(of_tag text, ahead text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN
    RETURN (
        SELECT coalesce(min(d.done_handover), 9223372036854775807)
        FROM freshet.delivery d JOIN freshet.target t ON t.name = d.target
        WHERE d.tag = of_tag AND (t.name = ahead OR t.copy_of = ahead)
          AND d.owed_at > clock_timestamp() - interval '30 seconds');
END $$;
REVOKE ALL ON FUNCTION freshet.done_ahead(text, text) FROM PUBLIC;
