WITH gone AS (
    DELETE FROM freshet.publication WHERE number = ANY (:#numbers::bigint[]) RETURNING topic
)
INSERT INTO freshet.tally (name, value) SELECT 'publishes', count(*) FROM gone
    WHERE topic = 'publish' HAVING count(*) > 0
