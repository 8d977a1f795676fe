-- Counts the moments that rows have gained and lost, in one statement, so that a crash undoes all of it. What commits
-- later is found later. A moment that no row has any more is deleted; a loss that arrives before its gain waits for it
-- as a count below 0. No one else changes freshet.moment meanwhile, so what is read first holds until the end.
WITH taken AS (
    DELETE FROM freshet.moment_change
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM freshet.moment_change ORDER BY id LIMIT :#limit))
    RETURNING watch, tag, at, change
), summed AS MATERIALIZED (
    SELECT watch, tag, at, sum(change) AS change FROM taken
    WHERE watch = ANY (ARRAY(SELECT number FROM freshet.watch))
    GROUP BY watch, tag, at HAVING sum(change) <> 0
), known AS MATERIALIZED (
    SELECT s.*, m.place, coalesce(m.count, 0) + s.change AS count
    FROM summed s LEFT JOIN LATERAL (
        -- in the order of the primary key, whatever the planner estimates for the table: by the index of `at` alone it
        -- would, for each of 100,000 moments at the same instant, read all of them
        SELECT * FROM (SELECT ctid AS place, watch, tag, at, count FROM freshet.moment
                       WHERE (watch, tag, at) >= (s.watch, s.tag, s.at) ORDER BY watch, tag, at LIMIT 1) first
        WHERE first.watch = s.watch AND first.tag = s.tag AND first.at = s.at) m ON true
), ended AS (
    DELETE FROM freshet.moment WHERE ctid = ANY (ARRAY(SELECT place FROM known WHERE count = 0))
), counted AS (
    INSERT INTO freshet.moment (watch, tag, at, count)
    SELECT watch, tag, at, count FROM known WHERE count <> 0 ORDER BY watch, tag, at
    ON CONFLICT (watch, tag, at) DO UPDATE SET count = excluded.count
)
-- Everything committed before this statement began has been seen, if fewer rows were taken than allowed.
SELECT count(*)::integer AS taken, statement_timestamp() AS horizon FROM taken
