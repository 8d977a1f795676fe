-- A function may take its time; but a worker that says nothing after it has returned lets go of what it holds.
SELECT set_config('statement_timeout', :#timeoutMs::text, true),
    set_config('idle_in_transaction_session_timeout', '5s', true)
