-- Announces that this instance sleeps: until the announcement expires, writers wake it. Not done where someone may want
-- to PREPARE TRANSACTION, which refuses a transaction that has called NOTIFY, nor while notifications pile up. The echo
-- that this statement sends proves that notifications arrive.
SELECT setval('freshet.asleep_until', extract(epoch FROM clock_timestamp())::bigint + :#seconds::integer) AS until,
       pg_notify('freshet_live', :#echo) AS notified
WHERE current_setting('max_prepared_transactions') = '0' AND pg_notification_queue_usage() < 0.1
