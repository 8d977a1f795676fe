-- Asked before inbox-transactions.sql, in a statement of its own. Who was given an id up to this one has a transaction
-- id a moment later: nextval does not assign one, the INSERT that called it does. So the floor pairs it with the
-- transactions of the next look (queue/Floor.java). One that was stopped for longer between the two is found by the
-- next search from the beginning, within a minute. A sequence that nobody has called yet shows the id that comes first.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM freshet.inbox_id_seq
