-- Every broker but the first gets a row of its own for each event, so that one that is away does not hold up the
-- others.
WITH event AS (
    UPDATE freshet.publication p SET copied = true
    FROM (SELECT number FROM freshet.publication WHERE topic = 'publish' AND NOT copied
          ORDER BY number LIMIT :#limit FOR UPDATE SKIP LOCKED) oldest
    WHERE p.number = oldest.number
    RETURNING p.*
)
INSERT INTO freshet.publication (id, pattern, keys, tags, triggered_by, request_id, published_at, topic, copied)
SELECT event.id, pattern, keys, tags, triggered_by, request_id, published_at, other.topic, true
FROM event CROSS JOIN unnest(:#topics::text[]) AS other(topic)
ORDER BY event.number, other.topic
