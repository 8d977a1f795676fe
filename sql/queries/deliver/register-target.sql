-- Registers a target that an instance serves: from now on it is known, and owed every change that is handed over. A
-- target that was marked as deleted is restored. This runs at every turn, so it does not wait for locks: a row that
-- someone else has locked is left to the next turn. The result is false if the target may be about to be deleted by a
-- statement that has not finished.
WITH known AS MATERIALIZED (
    SELECT deleted_at IS NOT NULL AS is_leaving,
           served_at < now() - interval '15 seconds' OR deleted_at IS NOT NULL
           OR takes_queue <> :#takesQueue OR batch <> :#batch OR goes_after IS DISTINCT FROM :#after::text AS is_stale
    FROM freshet.target WHERE name = :#name
), free AS MATERIALIZED (
    SELECT name FROM freshet.target WHERE name = :#name AND (SELECT is_stale FROM known) FOR UPDATE SKIP LOCKED
), renewed AS (
    UPDATE freshet.target t SET takes_queue = :#takesQueue, batch = :#batch, goes_after = :#after,
        served_at = now(), deleted_at = NULL
    FROM free WHERE t.name = free.name
), begun AS (
    INSERT INTO freshet.target (name, takes_queue, batch, goes_after)
    SELECT :#name, :#takesQueue, :#batch, :#after WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (name) DO NOTHING
)
SELECT NOT EXISTS (SELECT FROM known WHERE is_leaving) OR EXISTS (SELECT FROM free) AS is_registered
