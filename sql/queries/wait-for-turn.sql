-- For what must not happen while somebody hands over (sql/queries/take-turn.sql).
SELECT pg_advisory_xact_lock(7382084)
