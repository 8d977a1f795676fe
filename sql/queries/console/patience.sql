-- Dry run: somebody waits for the answer, and it may cost the queue nothing.
SELECT set_config('statement_timeout', '5s', true)
