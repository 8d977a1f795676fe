-- Run after a hand-over met a lock: which of the oldest ripe tags cannot be handed over now, because someone else has
-- locked their deliveries (a settlement, a replay, a psql session). A delivery that has not been committed yet cannot
-- be seen here; oldest-ripe.sql finds its tag.
WITH ripe AS MATERIALIZED (
    SELECT DISTINCT tag FROM (
        SELECT * FROM (
            SELECT tag FROM public.cache_invalidation_queue
            WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
              AND ripe_at IS NULL
              AND time_bucket <= :#horizon::timestamptz - make_interval(secs => :#debounceSeconds)
              AND tag <> ALL (:#aside::text[])
            ORDER BY time_bucket LIMIT :#limit) by_bucket
        UNION ALL
        SELECT * FROM (
            SELECT due.tag FROM unnest(ARRAY[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]::smallint[]) AS p(priority)
            CROSS JOIN LATERAL (
                SELECT tag FROM public.cache_invalidation_queue
                WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
                  AND ripe_at IS NOT NULL AND priority = p.priority AND ripe_at <= :#horizon::timestamptz
                  AND tag <> ALL (:#aside::text[])
                ORDER BY ripe_at LIMIT :#limit) due
            LIMIT :#limit) at_a_moment) oldest
), there AS MATERIALIZED (
    SELECT d.tag, d.target FROM freshet.delivery d JOIN ripe USING (tag)
), free AS MATERIALIZED (
    SELECT d.tag, d.target FROM freshet.delivery d JOIN ripe USING (tag) FOR UPDATE OF d SKIP LOCKED
)
SELECT tag FROM (TABLE there EXCEPT TABLE free) held GROUP BY tag
