-- How long the oldest committed live event has waited for the relay.
SELECT coalesce((SELECT extract(epoch FROM clock_timestamp() - changed_at) FROM freshet.live_outbox
    ORDER BY id LIMIT 1), 0)::double precision AS behind_seconds
