-- One more vote, as the phones in the hall send it.
INSERT INTO public.votes (art_id)
SELECT a.id FROM public.art a JOIN public.events e ON e.id = a.event_id WHERE e.eid = 'AB3028' AND a.round = :#round
    AND a.easel = :#easel
RETURNING id
