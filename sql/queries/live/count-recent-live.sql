-- For FRESHET_LIVE_LIMIT: how many notifications each event has had within the last second, from all instances.
SELECT event_eid, count(*)::integer AS sent FROM freshet.live_event
WHERE published_at > now() - interval '1 second' AND event_eid = ANY (:#eids::text[]) GROUP BY event_eid
