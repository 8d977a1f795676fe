-- Dry run: a person waits for the answer, and the query must not slow down the queue.
SELECT set_config('statement_timeout', '5s', true)
