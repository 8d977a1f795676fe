-- Every transaction below oldest has ended. Every transaction that has begun to write is below next, which is this
-- transaction's own id. A snapshot's xmax would not do, because transactions that began after the last one that has
-- ended are not below it.
SELECT pg_snapshot_xmin(s)::text::bigint AS oldest, pg_current_xact_id()::text::bigint AS next
FROM pg_current_snapshot() s
