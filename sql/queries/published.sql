WITH gone AS (
    DELETE FROM freshet.publication WHERE number = ANY (:#numbers::bigint[]) RETURNING number
)
INSERT INTO freshet.tally (name, value) SELECT 'publishes', count(*) FROM gone HAVING count(*) > 0
