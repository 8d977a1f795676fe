-- Spends the budget of one call with so many tags, and returns the seconds to wait before it may begin. If that would
-- be longer than :patienceSeconds, it returns no row and spends nothing. Where there is no limit, the cost is 0
-- seconds. The clock is read after the row has been locked, so that two concurrent calls do not both get the last one.
WITH cost AS (
    SELECT make_interval(secs => :#callSeconds::double precision) AS call,
           make_interval(secs => :#tagSeconds::double precision * :#tags::integer) AS tags,
           make_interval(secs => :#callSeconds::double precision * :#callsAtOnce::double precision) AS calls_room,
           make_interval(secs => :#tagSeconds::double precision * :#tagsAtOnce::double precision) AS tags_room,
           make_interval(secs => :#patienceSeconds::double precision) AS patience
)
INSERT INTO freshet.budget AS b (name, calls_full_at, tags_full_at)
SELECT :#name::text, clock_timestamp() + call, clock_timestamp() + tags FROM cost
ON CONFLICT (name) DO UPDATE SET
    calls_full_at = greatest(b.calls_full_at, clock_timestamp()) + (SELECT call FROM cost),
    tags_full_at = greatest(b.tags_full_at, clock_timestamp()) + (SELECT tags FROM cost)
WHERE greatest(b.calls_full_at, clock_timestamp()) + (SELECT call - calls_room - patience
    FROM cost) <= clock_timestamp()
  AND greatest(b.tags_full_at, clock_timestamp()) + (SELECT tags - tags_room - patience FROM cost) <= clock_timestamp()
RETURNING greatest(0, extract(epoch FROM greatest(b.calls_full_at - (SELECT calls_room FROM cost),
                                                  b.tags_full_at - (SELECT tags_room FROM cost))
                                         - clock_timestamp()))::double precision AS wait_seconds
