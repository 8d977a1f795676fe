-- One more photo of a painting.
INSERT INTO public.art_media (artwork_id, url, caption)
SELECT a.id, format('/demo/art/%s-%s.svg', a.round, a.easel),
       (ARRAY['From the balcony', 'Under the lamp', 'The last brush stroke', 'With its painter'])[1 + (SELECT count(*)
           FROM public.art_media m WHERE m.artwork_id = a.id) % 4]
FROM public.art a JOIN public.events e ON e.id = a.event_id WHERE e.eid = 'AB3028' AND a.round = :#round
    AND a.easel = :#easel
RETURNING id, caption
