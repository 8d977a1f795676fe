-- The known targets and their state.
SELECT name, takes_queue, open_until IS NOT NULL AS open,
       coalesce(extract(epoch FROM now() - opened_at), 0)::double precision AS open_seconds,
       extract(epoch FROM now() - served_at)::double precision AS unserved_seconds,
       coalesce(extract(epoch FROM now() - missing_since), 0)::double precision AS missing_seconds
FROM freshet.target ORDER BY name
