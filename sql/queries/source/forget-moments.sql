-- Moments of watches that no longer exist. They would be deleted without effect when they come, which may be in years.
WITH RECURSIVE known(watch) AS (
    SELECT min(watch) FROM freshet.moment
    UNION ALL
    SELECT (SELECT min(m.watch) FROM freshet.moment m WHERE m.watch > known.watch) FROM known
    WHERE known.watch IS NOT NULL
), gone AS MATERIALIZED (
    SELECT watch FROM known WHERE watch IS NOT NULL AND watch <> ALL (ARRAY(SELECT number FROM freshet.watch))
), forgotten AS (
    DELETE FROM freshet.moment WHERE ctid = ANY (ARRAY(
        SELECT m.ctid
        FROM gone CROSS JOIN LATERAL (SELECT ctid FROM freshet.moment WHERE watch = gone.watch OFFSET 0) m
        LIMIT :#limit))
    RETURNING 1
)
SELECT count(*)::integer AS forgotten FROM forgotten
