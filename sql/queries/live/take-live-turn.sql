-- Who holds this row is the relay: one at a time, so that ids become visible in their order; whoever meets the lock
-- leaves it to the other. It ends with the transaction, so it holds behind a pooler, too; a process that hangs here
-- loses it after 5 s.
SELECT last_id, set_config('idle_in_transaction_session_timeout', '5s', true)
    FROM freshet.live_relay FOR UPDATE SKIP LOCKED
