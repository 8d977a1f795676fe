-- Changes above FRESHET_LIVE_LIMIT wait in the outbox, merged, until the event may have its next notification.
INSERT INTO freshet.live_outbox (type, event_eid, operation, detail, endpoints, changes, changed_at)
SELECT type, eid, operation, detail::json, ARRAY(SELECT jsonb_array_elements_text(endpoints)), changes,
    to_timestamp("changedAt")
FROM jsonb_to_recordset(:#held::jsonb)
    AS h(type text, eid text, operation text, detail text, endpoints jsonb, changes integer,
        "changedAt" double precision)
