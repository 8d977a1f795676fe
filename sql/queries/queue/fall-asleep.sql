-- From now on writers wake this instance, for as long as it does not say so again. Not where somebody may want to
-- PREPARE TRANSACTION, which refuses a transaction that has called NOTIFY, nor where notifications pile up. The echo of
-- this very statement proves that notifications arrive.
SELECT setval('freshet.asleep_until', extract(epoch FROM clock_timestamp())::bigint + :#seconds::integer) AS until,
       pg_notify('freshet_live', :#echo) AS notified
WHERE current_setting('max_prepared_transactions') = '0' AND pg_notification_queue_usage() < 0.1
