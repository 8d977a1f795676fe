-- The order, the notifications and the counter are written together. The hint tells other instances to look now; it
-- names its sender, which need not look.
WITH published AS (
    INSERT INTO freshet.live_event (id, event_eid, type, table_name, operation, payload, changes, changed_at)
    SELECT id, eid, type, "table", operation, payload, changes, to_timestamp("changedAt")
    FROM jsonb_to_recordset(:#events::jsonb)
        AS e(id bigint, eid text, type text, "table" text, operation text, payload text, changes integer,
            "changedAt" double precision)
    RETURNING id, event_eid, table_name, operation, payload, changed_at
), counted AS (
    UPDATE freshet.live_relay SET last_id = :#last
)
SELECT count(pg_notify('cache_invalidate_' || event_eid, payload)) AS sent,
       count(pg_notify('global_cache_stats',
           json_build_object('event_eid', event_eid, 'table', table_name, 'operation', operation,
           'timestamp', extract(epoch FROM changed_at))::text)) AS counted,
       pg_notify('freshet_live', :#instance) AS hinted
FROM (SELECT * FROM published ORDER BY id) p
