-- Of tokens whose row was not seen: is the transaction open? Asked before fences-now.sql looks for the rows.
SELECT token, freshet.fence_state(token) AS state FROM unnest(:#tokens::text[]) AS token
