-- Ten more than the highest bid.
INSERT INTO public.bids (art_id, amount, bidder)
SELECT a.id, coalesce((SELECT max(amount) FROM public.bids b WHERE b.art_id = a.id), 40) + 10, 'somebody in the hall'
FROM public.art a JOIN public.events e ON e.id = a.event_id WHERE e.eid = 'AB3028' AND a.round = :#round
    AND a.easel = :#easel
RETURNING id, amount
