-- Moves what has committed from the inbox into the queue, in one statement, so that a crash undoes all of it. What
-- commits later is found later: correctness does not depend on a cursor over ids (the floor only narrows the search).
-- Keys are ordered, so that two of our statements cannot deadlock. A row without a tag counts tags that a trigger had
-- to skip.
WITH taken AS (
    DELETE FROM freshet.inbox
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM freshet.inbox
        WHERE id > :#floor
          AND CASE WHEN :#only::text IS NULL THEN tag IS NULL OR tag <> ALL (:#blocked::text[]) ELSE tag = :#only END
          AND NOT EXISTS (SELECT FROM freshet.policy)
        ORDER BY id LIMIT :#limit))
    RETURNING id, tag, changed_at, count, registry_knows
), folded AS (
    INSERT INTO public.cache_invalidation_queue AS q (tag, time_bucket, invalidation_count, changed_at)
    SELECT tag, date_bin(make_interval(secs => :#bucketSeconds), changed_at, timestamptz 'epoch') AS bucket,
           least(sum(count), 2147483647)::integer, min(changed_at)
    FROM taken WHERE tag IS NOT NULL
    GROUP BY tag, bucket ORDER BY tag, bucket
    ON CONFLICT (tag, time_bucket) DO UPDATE SET
        -- a count at its maximum stays there; then handed_count is lowered, because the row has grown nonetheless
        invalidation_count = greatest(q.invalidation_count,
                                      least(q.invalidation_count::bigint + excluded.invalidation_count, 2147483647)),
        handed_count = CASE WHEN q.invalidation_count::bigint + excluded.invalidation_count > 2147483647
                            THEN least(q.handed_count, 2147483646) ELSE q.handed_count END,
        last_invalidated_at = NULL,
        changed_at = CASE WHEN q.invalidation_count > q.handed_count THEN least(q.changed_at, excluded.changed_at)
                          ELSE excluded.changed_at END,
        -- a row that waits for a moment of its own keeps that moment, but waits no longer than its bucket would
        ripe_at = CASE WHEN q.invalidation_count > q.handed_count AND q.ripe_at IS NOT NULL
                       THEN least(q.ripe_at, q.time_bucket + make_interval(secs => :#debounceSeconds)) END
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
       EXISTS (SELECT FROM freshet.policy) AS has_policies, -1::bigint AS policies,
       -- for note-folded.sql
       CASE WHEN EXISTS (SELECT FROM freshet.fence_inbox) THEN (SELECT array_agg(id) FROM taken) END AS fenced
FROM taken
