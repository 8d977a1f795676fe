-- The highest bids for the painting at EID-ROUND-EASEL, and how many there are.
SELECT jsonb_build_object('bids', (SELECT count(*) FROM public.bids b WHERE b.art_id = a.id), 'highest', (
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', top.id, 'amount', top.amount, 'bidder', top.bidder, 'placed_at',
        top.placed_at) ORDER BY top.amount DESC, top.id), '[]')
    FROM (SELECT b.* FROM public.bids b WHERE b.art_id = a.id
        ORDER BY b.amount DESC, b.id LIMIT 5) top))::text AS content
FROM public.art a JOIN public.events e ON e.id = a.event_id WHERE format('%s-%s-%s', e.eid, a.round, a.easel) = :#place
