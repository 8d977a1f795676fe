-- What was published after an id, in order. The age is computed by the database's clock, which also stamped the change.
SELECT id, event_eid, type, payload, extract(epoch FROM clock_timestamp() - changed_at)::double precision AS age
FROM freshet.live_event WHERE id > :#after ORDER BY id LIMIT :#limit
