-- The paintings of an event's first round, with their bids and votes.
SELECT jsonb_build_object('eid', e.eid, 'name', e.name, 'art', (
    SELECT coalesce(jsonb_agg(jsonb_build_object('round', a.round, 'easel', a.easel, 'artist', a.artist, 'description',
        a.description, 'status', a.status,
        'votes', (SELECT count(*) FROM public.votes v WHERE v.art_id = a.id),
        'highest_bid', (SELECT max(b.amount) FROM public.bids b WHERE b.art_id = a.id)) ORDER BY a.easel), '[]')
    FROM public.art a WHERE a.event_id = e.id AND a.round = 1))::text AS content
FROM public.events e WHERE e.eid = :#eid
