-- Retention. Ids have no gaps and were published in order, so the oldest rows are found by key, and kept_after records
-- up to which id they were deleted. This locks the relay's row, so it runs in small batches.
WITH turn AS (
    SELECT kept_after FROM freshet.live_relay FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM freshet.live_event USING turn
    WHERE id > kept_after AND id <= kept_after + :#limit
        AND published_at < now() - make_interval(secs => :#retentionSeconds)
    RETURNING id
), kept AS (
    UPDATE freshet.live_relay SET kept_after = (SELECT max(id) FROM gone) WHERE EXISTS (SELECT FROM gone)
)
SELECT count(*)::integer AS forgotten FROM gone
