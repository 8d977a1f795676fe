-- Asked before inbox-transactions.sql, in a statement of its own: whoever was given an id up to this one has a transaction id by now.
SELECT last_value AS id FROM freshet.inbox_id_seq
