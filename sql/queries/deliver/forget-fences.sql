-- Tokens are kept for a day.
WITH old AS MATERIALIZED (
    SELECT id FROM freshet.fence WHERE asked_at < now() - interval '1 day'
    ORDER BY asked_at LIMIT :#limit FOR UPDATE SKIP LOCKED
), inbox AS (
    DELETE FROM freshet.fence_inbox WHERE fence = ANY (ARRAY(SELECT id FROM old))
), queue AS (
    DELETE FROM freshet.fence_queue WHERE fence = ANY (ARRAY(SELECT id FROM old))
), delivery AS (
    DELETE FROM freshet.fence_delivery WHERE fence = ANY (ARRAY(SELECT id FROM old))
)
DELETE FROM freshet.fence WHERE id = ANY (ARRAY(SELECT id FROM old))
