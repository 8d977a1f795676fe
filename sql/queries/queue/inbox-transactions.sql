-- Everybody below oldest has ended. Everybody who has begun to write is below next, this transaction's own id: a
-- snapshot's xmax would not do, because those who began after the last one that has ended are not below it.
SELECT pg_snapshot_xmin(s)::text::bigint AS oldest, pg_current_xact_id()::text::bigint AS next
FROM pg_current_snapshot() s
