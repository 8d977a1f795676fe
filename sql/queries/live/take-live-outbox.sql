-- Takes what has committed, oldest first. What commits later is found later: correctness does not depend on a cursor
-- over ids (the floor only narrows the search).
WITH taken AS (
    DELETE FROM freshet.live_outbox
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM freshet.live_outbox WHERE id > :#floor ORDER BY id LIMIT :#limit))
    RETURNING id, type, event_eid, operation, detail, endpoints, changes, changed_at
)
SELECT type, event_eid, operation, detail::text AS detail, endpoints, changes,
       extract(epoch FROM changed_at)::text AS changed_at, extract(epoch FROM clock_timestamp())::text AS clock
FROM taken ORDER BY id
