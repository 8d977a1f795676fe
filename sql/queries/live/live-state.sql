-- Run many times a second: whether anything has committed that the relay has not seen, and how far the relay is. Two
-- index probes.
SELECT last_id, kept_after, (SELECT id FROM freshet.live_outbox WHERE id > :#floor
    ORDER BY id LIMIT 1) IS NOT NULL AS waiting FROM freshet.live_relay
