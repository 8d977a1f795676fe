-- What was published after an id, in its order. The age is told by the database's clock, which stamped the change.
SELECT id, event_eid, type, payload, extract(epoch FROM clock_timestamp() - changed_at)::double precision AS age
FROM freshet.live_event WHERE id > :#after ORDER BY id LIMIT :#limit
