-- Processed rows of an adopted queue have been handed over, as often as they had been touched before V1 took the table.
-- This runs in a transaction of its own, which locks only these rows, so the replaced triggers continue meanwhile. A
-- row that one of them has touched since then is left to be handed over again, because nobody can tell whether that
-- change was seen.
UPDATE public.cache_invalidation_queue q SET handed_count = q.invalidation_count
FROM freshet.counter c
WHERE c.name = 'adopted_in' AND q.last_invalidated_at IS NOT NULL
  AND age(q.xmin) > age((c.value % 4294967296)::text::xid);
DELETE FROM freshet.counter WHERE name = 'adopted_in';
