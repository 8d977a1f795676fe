-- One event's history after an id and, in the same snapshot, whether a client can continue from that id. Returns at
-- least one row, without an event if there is none.
SELECT r.last_id, r.kept_after, e.id, e.type, e.payload
FROM freshet.live_relay r LEFT JOIN LATERAL (
    SELECT id, type, payload FROM freshet.live_event
    WHERE event_eid = :#eid AND id > :#after AND id <= :#upTo ORDER BY id LIMIT :#limit) e ON true
ORDER BY e.id
