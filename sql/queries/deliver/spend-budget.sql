-- One call with so many tags: spent, with the seconds to wait before it may begin; or no row, and nothing is spent,
-- where that would be longer than :patienceSeconds. What has no limit costs 0 seconds. The clock is read when the row
-- is locked, so that two who ask at one time do not both get the last.
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
