WITH taken AS (
    DELETE FROM freshet.tally
        WHERE ctid = ANY (ARRAY(SELECT ctid
            FROM freshet.tally LIMIT :#limit FOR UPDATE SKIP LOCKED)) RETURNING name, value
)
INSERT INTO freshet.counter AS c (name, value) SELECT name, sum(value) FROM taken GROUP BY name ORDER BY name
ON CONFLICT (name) DO UPDATE SET value = c.value + excluded.value
