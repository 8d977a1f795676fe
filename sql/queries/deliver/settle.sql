-- Writes what became of calls. Only what is still held under the call's own lease counts: a zombie changes nothing.
-- A newer hand-over than the call covered stays owed. The results:
--   delivered  gone, with its dead letter
--   failed     a retry later, or a dead letter when the newest change has been owed for too long
--   refused    for good: a dead letter
--   halve      a batch was refused: its tags come again in smaller company
--   returned   never tried: due again at once
-- Queue rows whose tag has an outcome everywhere now are marked as processed here, in the same statement. Rows of a tag
-- that another target is still owed are not: two who settle the same tag for two targets at once would each see the
-- other's delivery and leave the row to the other. Their tags are answered as look_again, for lock-handed.sql and
-- mark.sql, which look after they have the row's lock. A row handed over anew meanwhile is not marked: it names a newer
-- hand-over than was settled.
-- The breaker opens when several calls in a row met nobody there: no answer, 429, or what a proxy says for a host that
-- is away (502, 503, 504). Any other answer, a plain 500 too, shows that the host is there: then a tag is broken, not
-- the target.
WITH outcome AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(:#outcomes::jsonb)
        AS o(tag text, target text, lease uuid, result text, status integer, error text,
             "retryAfterSeconds" double precision, call text, company integer)
), held AS MATERIALIZED (
    SELECT d.*, o.result, o.status, o.error, o."retryAfterSeconds", o.call, o.company,
           d.handover > d.claimed_handover AS newer,
           o.result = 'refused'
           OR o.result = 'failed' AND now() - d.handed_at >= make_interval(secs => :#retryForSeconds) AS given_up,
           o.result = 'failed' AND (o.status IS NULL OR o.status IN (408, 425, 429, 502, 503, 504)) AS unanswered
    FROM freshet.delivery d JOIN outcome o ON d.tag = o.tag AND d.target = o.target AND d.lease_id = o.lease
    ORDER BY d.tag, d.target
    FOR UPDATE OF d
), gone AS (
    DELETE FROM freshet.delivery d USING held h
    WHERE d.tag = h.tag AND d.target = h.target AND NOT h.newer AND (h.result = 'delivered' OR h.given_up)
), stays AS (
    UPDATE freshet.delivery d SET
        lease_id = NULL, claimed_handover = NULL,
        due_at = CASE WHEN h.result = 'failed' AND NOT h.given_up
                      THEN now() + make_interval(secs => greatest(
                           least(:#backoffMaxSeconds,
                               :#backoffSeconds * power(2, least(h.attempts, 30))) * (0.75 + random() / 2),
                           least(coalesce(h."retryAfterSeconds", 0), 600)))
                      ELSE now() END,
        rank = CASE WHEN h.result = 'delivered' OR h.given_up THEN 0
                    WHEN h.result = 'failed' THEN CASE WHEN h.attempts < 5 THEN 1 ELSE 2 END
                    ELSE h.rank END,
        settled_handover = CASE WHEN h.result = 'delivered' OR h.given_up THEN h.claimed_handover
                                WHEN h.result = 'failed' THEN h.handover
                                ELSE h.settled_handover END,
        done_handover = CASE WHEN h.result = 'delivered' OR h.given_up THEN h.claimed_handover ELSE h.done_handover END,
        not_before = CASE WHEN h.result = 'failed' AND h."retryAfterSeconds" IS NOT NULL AND NOT h.given_up
                          THEN now() + make_interval(secs => least(h."retryAfterSeconds", 600)) END,
        attempts = CASE WHEN h.result = 'delivered' OR h.given_up THEN 0
                        WHEN h.result = 'failed' THEN h.attempts + 1 ELSE h.attempts END,
        first_failed_at = CASE WHEN h.result = 'delivered' OR h.given_up THEN NULL
                               WHEN h.result = 'failed' THEN coalesce(h.first_failed_at, now())
                                   ELSE h.first_failed_at END,
        last_failed_at = CASE WHEN h.result = 'failed' THEN now() ELSE h.last_failed_at END,
        last_status = CASE WHEN h.result = 'failed' THEN h.status ELSE h.last_status END,
        last_error = CASE WHEN h.result = 'failed' THEN h.error ELSE h.last_error END,
        changed_at = CASE WHEN h.result = 'delivered' OR h.given_up THEN h.handed_at ELSE h.changed_at END,
        owed_at = CASE WHEN h.result = 'delivered' OR h.given_up THEN h.handed_at ELSE h.owed_at END,
        together = CASE WHEN h.result = 'halve' OR h.result = 'failed' AND h.status >= 500 AND h.company > 1
                        THEN greatest(1, h.company / 2)
                        WHEN h.result = 'delivered' THEN NULL ELSE h.together END
    FROM held h
    WHERE d.tag = h.tag AND d.target = h.target AND (h.newer OR NOT (h.result = 'delivered' OR h.given_up))
), buried AS (
    INSERT INTO freshet.dead_letter AS l (target, tag, attempts, last_status, last_error, first_failed_at,
        last_failed_at,
                                          handover, done_handover)
    SELECT target, tag, attempts + 1, status, error, coalesce(first_failed_at, now()), now(), claimed_handover,
        done_handover
    FROM held WHERE given_up ORDER BY tag, target
    ON CONFLICT (tag, target) DO UPDATE SET
        attempts = l.attempts + excluded.attempts, last_status = excluded.last_status,
        last_error = excluded.last_error, last_failed_at = excluded.last_failed_at, handover = excluded.handover
), cleared AS (
    DELETE FROM freshet.dead_letter l USING held h WHERE h.result = 'delivered' AND l.tag = h.tag
        AND l.target = h.target
), settled AS MATERIALIZED (
    -- up to which hand-over each tag has an outcome at the targets of these calls, and at all others
    SELECT tag, upto, (SELECT min(settled_handover) FROM freshet.delivery d
                       WHERE d.tag = t.tag AND d.target <> ALL (t.targets)) AS elsewhere
    FROM (SELECT tag, array_agg(target) AS targets,
                 min(CASE WHEN result = 'delivered' OR given_up THEN claimed_handover
                          WHEN result = 'failed' THEN handover ELSE settled_handover END) AS upto
          FROM held WHERE :#marks::boolean GROUP BY tag) t
), has_outcomes AS MATERIALIZED (
    SELECT q.tag, q.time_bucket, settled.upto FROM settled CROSS JOIN LATERAL (
        SELECT tag, time_bucket FROM public.cache_invalidation_queue
        WHERE tag = settled.tag AND handover <= least(settled.upto, settled.elsewhere)
          AND invalidation_count = handed_count OFFSET 0) q
), locked AS MATERIALIZED (
    SELECT h.tag, h.time_bucket, q.tag IS NOT NULL AS is_free FROM has_outcomes h LEFT JOIN LATERAL (
        SELECT tag FROM public.cache_invalidation_queue
        WHERE tag = h.tag AND time_bucket = h.time_bucket AND handover <= h.upto AND invalidation_count = handed_count
        FOR UPDATE SKIP LOCKED OFFSET 0) q ON true
), marked AS (
    UPDATE public.cache_invalidation_queue q SET last_invalidated_at = now(), handover = NULL
    FROM locked l WHERE l.is_free AND q.tag = l.tag AND q.time_bucket = l.time_bucket
), marked_later AS (
    INSERT INTO freshet.mark_later (tag) SELECT DISTINCT tag FROM locked WHERE NOT is_free
), audited AS (
    INSERT INTO public.invalidation_audit
        (kind, target, keys, triggered_by, outcome, status, detail, request_id, latency_ms)
    SELECT 'delivery', target, jsonb_agg(tag ORDER BY tag), 'queue',
           CASE WHEN result = 'delivered' THEN 'delivered' WHEN given_up THEN 'dead' ELSE 'retry' END,
           max(status), max(error), call, extract(epoch FROM now() - min(changed_at)) * 1000
    FROM held WHERE result IN ('delivered', 'failed', 'refused') AND freshet.audits()
    GROUP BY target, call, result, given_up
), news AS (
    -- a call counts once, however many tags it carried: its first tag stands for it, so that one broken tag counts once
    -- as well
    SELECT target, bool_or(answered) AS answered, array_agg(DISTINCT first_tag) FILTER (WHERE unanswered) AS failing
    FROM (SELECT target, bool_or(NOT unanswered) AS answered, bool_or(unanswered) AS unanswered, min(tag) AS first_tag
          FROM held WHERE result <> 'returned' GROUP BY target, call) calls
    GROUP BY target
), before AS MATERIALIZED (
    -- in their order, so that two who settle for several targets never wait for each other in a circle
    SELECT t.name, t.open_until IS NOT NULL AS open, t.failing_tags
    FROM freshet.target t JOIN news n ON n.target = t.name
    WHERE NOT n.answered OR t.open_until IS NOT NULL OR t.failing_tags <> '{}'
    ORDER BY t.name FOR UPDATE OF t
), breaker AS (
    -- while open, only an answer changes it: the probes are timed by the claim
    UPDATE freshet.target t SET
        failing_tags = CASE WHEN n.answered THEN '{}' ELSE so_far.tags END,
        failed_at = CASE WHEN n.answered THEN t.failed_at ELSE now() END,
        open_until = CASE WHEN n.answered THEN NULL
                          WHEN b.open THEN t.open_until
                          WHEN so_far.enough THEN now() + make_interval(secs => :#probeSeconds) END,
        opened_at = CASE WHEN n.answered THEN NULL WHEN b.open THEN t.opened_at WHEN so_far.enough THEN now() END,
        opened_times = CASE WHEN b.open AND NOT n.answered THEN t.opened_times ELSE 0 END
    FROM before b JOIN news n ON n.target = b.name, LATERAL (
        SELECT array_agg(tag) AS tags, count(*) >= :#breakerTags AS enough
        FROM (SELECT tag FROM (SELECT unnest(b.failing_tags)
            UNION SELECT unnest(n.failing)) u(tag) LIMIT :#breakerTags) distinct_tags
    ) so_far
    WHERE t.name = b.name
    RETURNING t.name, t.open_until IS NOT NULL AS open, b.open AS was_open
)
-- A settlement that a crash of PostgreSQL undoes is made again: the call is repeated, with the same webhook-id. So its
-- commit need not wait for the disk; a hand-over's must, since a number that is given out twice would be lost.
SELECT set_config('synchronous_commit', 'off', true),
       (SELECT jsonb_object_agg(name, open) FROM breaker WHERE open <> was_open)::text AS breakers,
       (SELECT array_agg(tag) FROM settled WHERE elsewhere < upto) AS look_again,
       (SELECT array_agg(DISTINCT target) FROM held
        WHERE newer OR result IN ('halve', 'returned')) AS due_again
