-- Which of the oldest ripe tags cannot be handed over now, because somebody else holds what they are owed (a
-- settlement, a replay, a session of psql)? Asked when a hand-over ran into a lock. A delivery that is not committed
-- yet cannot be seen here; oldest-ripe.sql finds its tag.
WITH ripe AS MATERIALIZED (
    SELECT DISTINCT tag FROM (
        SELECT tag FROM public.cache_invalidation_queue
        WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
          AND time_bucket <= :#horizon::timestamptz - make_interval(secs => :#debounceSeconds)
          AND tag <> ALL (:#aside::text[])
        ORDER BY time_bucket LIMIT :#limit) oldest
), there AS MATERIALIZED (
    SELECT d.tag, d.target FROM freshet.delivery d JOIN ripe USING (tag)
), free AS MATERIALIZED (
    SELECT d.tag, d.target FROM freshet.delivery d JOIN ripe USING (tag) FOR UPDATE OF d SKIP LOCKED
)
SELECT tag FROM (TABLE there EXCEPT TABLE free) held GROUP BY tag
