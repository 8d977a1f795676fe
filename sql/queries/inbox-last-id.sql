-- Asked before inbox-transactions.sql, in a statement of its own: whoever was given an id up to this one has a transaction id by now.
-- A sequence that nobody has called yet shows the id that comes first.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM freshet.inbox_id_seq
