-- The newest photos of an event, and how many there are.
SELECT jsonb_build_object('photos', count(m.id), 'newest', (
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'round', n.round, 'easel', n.easel, 'description',
        n.description, 'caption', n.caption) ORDER BY n.id DESC), '[]')
    FROM (SELECT p.id, p.caption, o.round, o.easel, o.description
        FROM public.art_media p JOIN public.art o ON o.id = p.artwork_id
          WHERE o.event_id = e.id ORDER BY p.id DESC LIMIT 6) n))::text AS content
FROM public.events e LEFT JOIN public.art a ON a.event_id = e.id LEFT JOIN public.art_media m ON m.artwork_id = a.id
WHERE e.eid = :#eid GROUP BY e.id
