-- Rows of an adopted queue that are processed have been handed over: as often as they were touched before V1 took the
-- table. In a transaction of its own, which locks nothing but these rows: the replaced triggers go on meanwhile. A row
-- that one of them has touched since then is left to be handed over again, for nobody can tell whether that change was
-- seen.
UPDATE public.cache_invalidation_queue q SET handed_count = q.invalidation_count
FROM freshet.counter c
WHERE c.name = 'adopted_in' AND q.last_invalidated_at IS NOT NULL
  AND age(q.xmin) > age((c.value % 4294967296)::text::xid);
DELETE FROM freshet.counter WHERE name = 'adopted_in';
