-- The fold (fold.sql) for tags with policies (freshet.policy_of). What a policy does not specify is as without one:
--   debounce  buckets are as long as the window, by the time of each change, and ripe when it ends
--   at_once   a window begins when the first change is folded, which is when others can see it: changes that commit
--             late cannot open windows in the past, one after the other. A tag that was quiet for its window is ripe at
--             once. All other changes within the window join its row: they are ripe when the window ends, unless that
--             row has yet to be handed over. If the tag has not been quiet, the next window then begins without a call
--             at its start.
-- The fold takes the oldest changes, or the :newest if there are many, because one of those may have a higher priority.
-- A row that already waits for a shorter time keeps that time, so a changed policy never makes anything wait longer
-- than announced.
WITH taken AS (
    DELETE FROM freshet.inbox
    WHERE ctid = ANY (ARRAY(
        SELECT * FROM (
            SELECT ctid FROM freshet.inbox
            WHERE id > :#floor AND NOT :#newest::boolean
              AND CASE WHEN :#only::text IS NULL THEN tag IS NULL OR tag <> ALL (:#blocked::text[])
                  ELSE tag = :#only END
            ORDER BY id LIMIT :#limit) oldest
        UNION ALL
        SELECT * FROM (
            SELECT ctid FROM freshet.inbox
            WHERE id > :#floor AND :#newest::boolean AND (tag IS NULL OR tag <> ALL (:#blocked::text[]))
            ORDER BY id DESC LIMIT :#limit) newest))
    RETURNING id, tag, changed_at, count, registry_knows
), by_tag AS MATERIALIZED (
    SELECT tag, array_agg(changed_at) AS moments, array_agg(count) AS counts, sum(count) AS count,
           min(changed_at) AS first
    FROM taken WHERE tag IS NOT NULL GROUP BY tag
), changed AS MATERIALIZED (
    SELECT t.*, coalesce(p.priority, 5) AS priority, p.debounce AS own_window,
           coalesce(p.debounce, make_interval(secs => :#debounceSeconds)) AS span,
           coalesce(p.at_once AND coalesce(p.debounce, make_interval(secs => :#debounceSeconds)) > interval '0', false)
               AS at_once
    FROM by_tag t LEFT JOIN LATERAL freshet.policy_of(t.tag) p ON true
), begun AS MATERIALIZED (
    SELECT c.tag, c.count, c.first, c.priority, statement_timestamp() + c.span AS quiet_at,
           CASE WHEN w.time_bucket + c.span > statement_timestamp() THEN w.time_bucket
                ELSE statement_timestamp() END AS time_bucket,
           CASE WHEN w.time_bucket + c.span > statement_timestamp() THEN w.time_bucket + c.span
                WHEN w.quiet_at > statement_timestamp() THEN statement_timestamp() + c.span
                ELSE statement_timestamp() END AS ripe_at
    FROM changed c LEFT JOIN LATERAL (
        SELECT time_bucket, quiet_at FROM public.cache_invalidation_queue
        WHERE tag = c.tag AND time_bucket <= statement_timestamp()
        ORDER BY time_bucket DESC LIMIT 1) w ON true
    WHERE c.at_once
), binned AS MATERIALIZED (
    SELECT c.tag, date_bin(CASE WHEN c.own_window > interval '0' THEN c.own_window
                                ELSE make_interval(secs => :#bucketSeconds) END,
                           m.changed_at, timestamptz 'epoch') AS time_bucket,
           m.count, m.changed_at, c.priority, c.span, c.own_window IS NOT NULL OR c.priority <> 5 AS has_moment
    FROM changed c CROSS JOIN LATERAL unnest(c.moments, c.counts) AS m(changed_at, count)
    WHERE NOT c.at_once
), folded AS (
    INSERT INTO public.cache_invalidation_queue AS q
        (tag, time_bucket, invalidation_count, changed_at, ripe_at, quiet_at, priority)
    SELECT tag, time_bucket, least(sum(count), 2147483647)::integer, min(changed_at), max(ripe_at), max(quiet_at),
           max(priority)
    FROM (SELECT tag, time_bucket, count, first AS changed_at, ripe_at, quiet_at, priority FROM begun
          UNION ALL
          SELECT tag, time_bucket, count, changed_at, CASE WHEN has_moment THEN time_bucket + span END, NULL, priority
          FROM binned) all_rows
    GROUP BY tag, time_bucket ORDER BY tag, time_bucket
    ON CONFLICT (tag, time_bucket) DO UPDATE SET
        invalidation_count = greatest(q.invalidation_count,
                                      least(q.invalidation_count::bigint + excluded.invalidation_count, 2147483647)),
        handed_count = CASE WHEN q.invalidation_count::bigint + excluded.invalidation_count > 2147483647
                            THEN least(q.handed_count, 2147483646) ELSE q.handed_count END,
        last_invalidated_at = NULL,
        changed_at = CASE WHEN q.invalidation_count > q.handed_count THEN least(q.changed_at, excluded.changed_at)
                          ELSE excluded.changed_at END,
        ripe_at = CASE WHEN q.invalidation_count <= q.handed_count THEN excluded.ripe_at
                       WHEN q.ripe_at IS NULL AND excluded.ripe_at IS NULL THEN NULL
                       ELSE least(coalesce(q.ripe_at, q.time_bucket + make_interval(secs => :#debounceSeconds)),
                                  coalesce(excluded.ripe_at,
                                           q.time_bucket + make_interval(secs => :#debounceSeconds))) END,
        quiet_at = coalesce(excluded.quiet_at, q.quiet_at),
        priority = excluded.priority
), followed AS (
    INSERT INTO freshet.registry_due (tag)
    SELECT DISTINCT tag FROM taken
    WHERE tag IS NOT NULL AND NOT registry_knows AND EXISTS (SELECT FROM public.cache_entries)
), skipped AS (
    INSERT INTO freshet.counter AS c (name, value)
    SELECT 'tags_skipped', sum(count) FROM taken WHERE tag IS NULL HAVING count(*) > 0
    ON CONFLICT (name) DO UPDATE SET value = c.value + excluded.value
)
-- Everything committed before this statement began has been seen, if fewer rows were taken than allowed.
SELECT count(*)::integer AS taken, statement_timestamp() AS horizon, min(changed_at) AS oldest,
       EXISTS (SELECT FROM freshet.policy) AS has_policies,
       (SELECT version FROM freshet.policies) AS policies,
       -- for note-folded.sql
       CASE WHEN EXISTS (SELECT FROM freshet.fence_inbox) THEN (SELECT array_agg(id) FROM taken) END AS fenced
FROM taken
