-- For tokens whose row has not been seen: whether their transaction is open. Runs before fences-now.sql reads the rows.
SELECT token, freshet.fence_state(token) AS state FROM unnest(:#tokens::text[]) AS token
