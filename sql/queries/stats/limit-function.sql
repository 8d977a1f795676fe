-- A function may take long, but a worker that is silent after it has returned loses its transaction.
SELECT set_config('statement_timeout', :#timeoutMs::text, true),
    set_config('idle_in_transaction_session_timeout', '5s', true)
