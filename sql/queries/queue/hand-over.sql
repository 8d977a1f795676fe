-- Makes what is ripe owed to every target, in one statement: all ripe rows of up to :limit tags, one delivery per tag
-- and target. A row of the queue that a foreign transaction has locked is skipped until the lock is released; tags in
-- :aside wait, because someone has locked their deliveries. Rows are ripe by their bucket or at a moment of their own
-- (ripe_at); up to :limit of each kind are taken, so that neither kind hides the other. For a target in outage or
-- without an instance that serves it, and for a tag that waits for a retry there, the change joins the stored delivery;
-- a tag that is owed to no other target counts as processed with that. The number of a delivery always grows, even in a
-- copy of a database whose sequence started again: otherwise a call under way would seem to cover this change.
-- The hand-over also claims: as many new deliveries as this instance has room for, under one lease per target, so that
-- their calls begin as soon as this has committed, highest priority first. The rest is due, for claim.sql.
WITH claims AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(:#claims::jsonb) AS c(target text, room integer, urgent integer, lease uuid)
), next AS MATERIALIZED (
    SELECT nextval('freshet.handover_number') AS number
), ripe AS MATERIALIZED (
    SELECT DISTINCT tag FROM (
        SELECT * FROM (
            SELECT tag FROM public.cache_invalidation_queue
            WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
              AND ripe_at IS NULL
              AND time_bucket <= :#horizon::timestamptz - make_interval(secs => :#debounceSeconds)
              AND time_bucket >= :#since::timestamptz           -- dev.freshet.queue.NarrowLooks
              AND tag <> ALL (:#aside::text[])
            ORDER BY time_bucket LIMIT :#limit
            FOR UPDATE SKIP LOCKED) by_bucket
        UNION ALL
        SELECT * FROM (
            SELECT due.tag FROM unnest(ARRAY[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]::smallint[]) AS p(priority)
            CROSS JOIN LATERAL (
                SELECT tag FROM public.cache_invalidation_queue
                WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
                  AND ripe_at IS NOT NULL AND priority = p.priority AND ripe_at <= :#horizon::timestamptz
                  AND tag <> ALL (:#aside::text[])
                ORDER BY ripe_at LIMIT :#momentLimit
                FOR UPDATE SKIP LOCKED) due
            WHERE p.priority >= :#lowest
            LIMIT :#momentLimit) at_a_moment) oldest
), taken AS MATERIALIZED (
    SELECT q.* FROM ripe CROSS JOIN LATERAL (
        -- by the primary key, whatever the planner estimates for the table: OFFSET 0 keeps it from joining all rows,
        -- and the CASE, which repeats the condition above, from reading the index of what is to be handed over once for
        -- every tag
        SELECT tag, time_bucket,
               -- an adopted row may have been created at -infinity, from which no age can be computed; nothing is late
               -- before the moment that it waits for
               greatest(coalesce(changed_at, created_at, time_bucket), CASE WHEN ripe_at IS NOT NULL
                   THEN least(ripe_at, now()) END,
                        now() - interval '100 years') AS changed_at,
               greatest(invalidation_count::bigint - handed_count, 1) AS changes
        FROM public.cache_invalidation_queue
        WHERE tag = ripe.tag
          AND CASE WHEN invalidation_count > handed_count THEN true ELSE last_invalidated_at IS NULL
              AND handover IS NULL END
          AND coalesce(ripe_at, time_bucket + make_interval(secs => :#debounceSeconds)) <= :#horizon::timestamptz
        ORDER BY time_bucket
        FOR UPDATE SKIP LOCKED OFFSET 0) q
), served AS MATERIALIZED (
    SELECT name, open_until IS NULL AND served_at > now() - interval '1 minute' AS can_be_called,
           coalesce(claims.room, 0) AS room, greatest(claims.room, claims.urgent, 0) AS urgent, claims.lease
    FROM freshet.target LEFT JOIN claims ON claims.target = name AND goes_after IS NULL WHERE takes_queue
), to_owe AS MATERIALIZED (
    SELECT tag, name, number, can_be_called, changed_at, priority,
           CASE WHEN can_be_called AND row_number() OVER (PARTITION BY name ORDER BY priority DESC, changed_at, tag)
                     <= CASE WHEN priority > 5 THEN urgent ELSE room END
                THEN lease END AS lease
    FROM (SELECT tag, min(changed_at) AS changed_at,
                 CASE WHEN (SELECT version FROM freshet.policies) = 0 THEN 5
                      ELSE coalesce((SELECT priority FROM freshet.policy_of(tag)), 5) END AS priority
          FROM taken GROUP BY tag) t CROSS JOIN served CROSS JOIN next
), owed AS (
    INSERT INTO freshet.delivery AS d
        (tag, target, handover, settled_handover, done_handover, changed_at, priority,
         lease_id, claimed_handover, due_at)
    SELECT tag, name, number, CASE WHEN can_be_called THEN 0 ELSE number END, number - 1, changed_at, priority,
           lease, CASE WHEN lease IS NOT NULL THEN number END,
           CASE WHEN lease IS NULL THEN now() ELSE now() + make_interval(secs => :#leaseSeconds) END
    FROM to_owe ORDER BY tag, name
    ON CONFLICT (tag, target) DO UPDATE SET
        handover = greatest(d.handover + 1, excluded.handover),
        settled_handover = CASE WHEN d.attempts > 0 AND d.lease_id IS NULL
            THEN greatest(d.handover + 1, excluded.handover)
                                ELSE greatest(d.settled_handover, excluded.settled_handover) END,
        rank = CASE WHEN d.attempts = 0 THEN 0 ELSE d.rank END,
        priority = excluded.priority,
        handed_at = excluded.handed_at,
        changed_at = least(d.changed_at, excluded.changed_at)
    RETURNING d.tag, d.target, d.id, d.settled_handover < d.handover AS outstanding,
              extract(epoch FROM now() - d.changed_at)::double precision AS age_seconds,
              -- a row that existed before keeps its lease, or has none
              d.lease_id IN (SELECT lease FROM claims) AS is_claimed,
              d.lease_id IS NULL AND d.due_at <= now() AS is_due
), by_tag AS (
    SELECT tag, bool_or(outstanding) AS outstanding FROM owed GROUP BY tag
), each_row AS MATERIALIZED (
    SELECT array_agg(taken.tag) AS tags, array_agg(taken.time_bucket) AS buckets,
           array_agg(taken.tag) FILTER (WHERE by_tag.outstanding) AS outstanding,
           array_agg(taken.tag) FILTER (WHERE by_tag.tag IS NULL) AS nobody
    FROM taken LEFT JOIN by_tag USING (tag)
), handed AS (
    -- by tag and bucket, not by ctid: a foreign upsert that committed in the meantime has moved the row. The index is
    -- searched once for all tags. Joined with the arrays it would be searched for each row, and PostgreSQL would sort
    -- all tags for each search: half of the time of a hand-over of 500 tags.
    UPDATE public.cache_invalidation_queue q SET
        handed_count = q.invalidation_count,
        handover = CASE WHEN q.tag IN (SELECT unnest((SELECT outstanding FROM each_row)))
                        THEN (SELECT number FROM next) END,
        last_invalidated_at = CASE WHEN q.tag IN (SELECT unnest((SELECT outstanding FROM each_row)))
                                   THEN NULL ELSE now() END,
        changed_at = NULL
    WHERE q.tag = ANY ((SELECT tags FROM each_row)::text[])
      AND ((q.tag, q.time_bucket) IN (SELECT * FROM unnest((SELECT tags FROM each_row),
                                                           (SELECT buckets FROM each_row)))) IS TRUE
    RETURNING q.tag, q.handover IS NOT NULL AS outstanding,
              q.tag IN (SELECT unnest((SELECT nobody FROM each_row))) AS nobody
), audited AS (
    INSERT INTO public.invalidation_audit (kind, keys, triggered_by, outcome)
    SELECT CASE WHEN nobody THEN 'no-target' ELSE 'postponed' END, jsonb_agg(DISTINCT tag), 'queue',
           CASE WHEN nobody THEN 'no target' ELSE 'retry' END
    FROM handed WHERE NOT outstanding AND freshet.audits() GROUP BY nobody
)
SELECT array_agg(DISTINCT tag) AS tags, count(*)::integer AS buckets, (SELECT number FROM next) AS handover,
       (SELECT sum(changes) FROM taken)::bigint AS changes, (SELECT count(*) FROM owed) AS calls,
       (SELECT array_agg(target ORDER BY age_seconds DESC) FROM owed WHERE is_claimed) AS claimed_targets,
       (SELECT array_agg(tag ORDER BY age_seconds DESC) FROM owed WHERE is_claimed) AS claimed_tags,
       (SELECT array_agg(id ORDER BY age_seconds DESC) FROM owed WHERE is_claimed) AS claimed_ids,
       (SELECT array_agg(age_seconds ORDER BY age_seconds DESC) FROM owed WHERE is_claimed) AS claimed_ages,
       (SELECT array_agg(DISTINCT target) FROM owed WHERE is_due) AS due,
       (SELECT version FROM freshet.policies) AS policies,
       freshet.fences_wait() AS fenced,                         -- for note-handed.sql
       -- read after all of it was seen as committed: with read replicas, calls wait until they have replayed this
       -- position
       CASE WHEN :#hasReplicas::boolean THEN (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint END AS position
FROM handed
