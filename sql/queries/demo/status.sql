-- Moves a painting to its next state, and after the sale to the first one again.
UPDATE public.art a SET status = CASE a.status WHEN 'painting' THEN 'voting' WHEN 'voting' THEN 'auction' WHEN 'auction'
    THEN 'sold' ELSE 'painting' END, updated_at = now()
FROM public.events e WHERE e.id = a.event_id AND e.eid = 'AB3028' AND a.round = :#round AND a.easel = :#easel
RETURNING a.id, a.status
