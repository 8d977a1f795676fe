-- Only one instance at a time works on moments. As with the turn (take-turn.sql), the lock ends with the transaction,
-- and a transaction that meets a lock of someone else gives way.
SELECT pg_try_advisory_xact_lock(7382095) AS mine, set_config('lock_timeout', '15ms', true),
       set_config('jit', 'off', true)
