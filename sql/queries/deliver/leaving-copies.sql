-- Finds the copies that leave the targets which this instance serves (:families: each with the names it serves, and the
-- host names that DNS has just answered for). A copy is gone if DNS has not named it for a minute, on any instance.
-- Otherwise it leaves if no instance has listed it for 20 seconds: the list was edited, one address became a list or a
-- list one address, or a host name got its first address. If that is too early, nothing is lost. The rows are locked,
-- so that anyone who is adding deliveries for them has finished before forget-copy.sql looks. This runs under the
-- turn's lock, so no hand-over is among those.
WITH family AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(:#families::jsonb) AS f(parent text, serves text[], answered text[])
), leaving AS MATERIALIZED (
    SELECT t.name, f.parent, t.missing_since IS NOT NULL AND t.place = ANY (f.answered) AS is_gone
    FROM family f CROSS JOIN LATERAL (
        SELECT * FROM freshet.target WHERE name = f.parent
        UNION ALL SELECT * FROM freshet.target WHERE copy_of = f.parent) t
    WHERE t.missing_since < now() - interval '1 minute' AND t.place = ANY (f.answered)
       OR t.name <> ALL (f.serves) AND (t.served_at < now() - interval '20 seconds'
                                        OR t.ip IS NULL AND t.served_at = t.accepted_at AND t.place = ANY (f.answered))
)
SELECT t.name, l.parent, l.is_gone FROM freshet.target t JOIN leaving l USING (name)
-- checked again on the current version of the row, now that it is locked
WHERE t.deleted_at IS NULL AND (NOT l.is_gone OR t.missing_since < now() - interval '1 minute')
  AND (l.is_gone OR t.served_at < now() - interval '20 seconds' OR t.ip IS NULL AND t.served_at = t.accepted_at)
ORDER BY t.name FOR UPDATE OF t SKIP LOCKED
