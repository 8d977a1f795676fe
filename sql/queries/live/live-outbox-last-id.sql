-- Like inbox-last-id.sql, for the live outbox.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS id FROM freshet.live_outbox_id_seq
