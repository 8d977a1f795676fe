SELECT set_config('statement_timeout', :#timeoutMs::text, true)
