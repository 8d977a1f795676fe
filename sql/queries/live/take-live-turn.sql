-- The instance that holds this row's lock is the relay. There is only one at a time, so that ids become visible in
-- order; an instance that meets the lock leaves the work to the holder. The lock ends with the transaction, so it also
-- works behind a pooler; a process that hangs here loses it after 5 s.
SELECT last_id, set_config('idle_in_transaction_session_timeout', '5s', true)
    FROM freshet.live_relay FOR UPDATE SKIP LOCKED
