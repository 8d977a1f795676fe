-- Run before inbox-transactions.sql, in a statement of its own. A writer that was given an id up to this one has a
-- transaction id a moment later: nextval does not assign one, but the INSERT that called it does. So the floor pairs
-- this id with the transactions of the next look (queue/Floor.java). A writer that was stopped for longer between the
-- two is found by the next search from the beginning, within a minute. A sequence that was never used shows the id that
-- comes first.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM freshet.inbox_id_seq
