-- The oldest moment that has come, if the queue's table does not accept it now (because of a lock, or a constraint of
-- its own): the fold can handle that. It counts as a change that was made at that moment.
WITH struck AS (
    DELETE FROM freshet.moment
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM freshet.moment WHERE at <= :#horizon::timestamptz ORDER BY at LIMIT 1))
    RETURNING watch, tag, at, count
), said AS (
    INSERT INTO freshet.inbox (tag, changed_at)
    SELECT tag, at FROM struck
    WHERE count > 0 AND EXISTS (SELECT FROM freshet.watch w JOIN pg_class c ON c.oid = w.watched WHERE w.number = watch)
    RETURNING tag
)
SELECT (SELECT count(*) FROM struck)::integer AS struck, (SELECT count(*) FROM said)::integer AS queued
