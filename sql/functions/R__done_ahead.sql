-- For targets that follow another one (freshet.target.goes_after; sql/queries/deliver/claim.sql).

-- The hand-over up to which a tag has been delivered to the target `ahead` and to each of its copies; no limit if none
-- of them is owed it. A delivery that has been owed for half a minute does not count, because one copy that hangs must
-- not keep an edge stale. When it has been delivered after all, the targets that did not wait are owed the tag again
-- (owe-after.sql). VOLATILE, so that it sees everything that was committed until the claim had the row's lock. With the
-- claim's own snapshot, it would miss what a hand-over had made owed while the claim waited for it, and the call would
-- cover that all the same.
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
