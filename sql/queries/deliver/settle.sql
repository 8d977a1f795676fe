-- Writes the outcomes of calls. Only deliveries still held under the call's own lease count: a zombie changes nothing.
-- If there was a newer hand-over than the call covered, that stays owed. The results, and the fate that follows from
-- each:
--   delivered  delivered: gone, and so is its dead letter
--   failed     retry: later; dead if the newest change has been owed for too long
--   refused    dead: a dead letter, permanently
--   halve      back: a batch was refused, its tags return in smaller calls
--   returned   back: never tried, due again at once
-- Rows of the queue whose tag now has an outcome everywhere are marked as processed in this statement. Rows of a tag
-- that is still owed to another target are not: two settlements of the same tag for two targets would each see the
-- other's delivery and leave the row to the other. Their tags are returned as look_again, for lock-handed.sql and
-- mark.sql, which look after they have locked the row. A row that was handed over again meanwhile is not marked: its
-- hand-over is newer than the settled one.
-- The breaker opens when several calls in a row did not reach the target: no answer, 429, or what a proxy answers for a
-- host that is away (502, 503, 504). Any other answer, even a plain 500, shows that the host is there: then the tag is
-- at fault, not the target.
-- Each row is found by its key, whatever the planner estimates for a table that is empty at one moment and full at the
-- next (docs/decisions.md, 139): with a join, one VACUUM of an empty freshet.delivery made this take four times as
-- long.
WITH outcome AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(:#outcomes::jsonb)
        AS o(tag text, target text, lease uuid, result text, status integer, error text,
             "retryAfterSeconds" double precision, call text, company integer)
    ORDER BY tag, target
), held AS MATERIALIZED (
    SELECT *, fate IN ('delivered', 'dead') AS is_done
    FROM (SELECT d.*, o.result, o.status, o.error, o."retryAfterSeconds", o.call, o.company,
                 d.handover > d.claimed_handover AS newer,
                 CASE WHEN o.result = 'delivered' THEN 'delivered'
                      WHEN o.result = 'refused' OR o.result = 'failed'
                          AND now() - d.handed_at >= make_interval(secs => :#retryForSeconds) THEN 'dead'
                      WHEN o.result = 'failed' THEN 'retry'
                      ELSE 'back' END AS fate,
                 o.result = 'failed'
                     AND (o.status IS NULL OR o.status IN (408, 425, 429, 502, 503, 504)) AS unanswered
          FROM outcome o CROSS JOIN LATERAL (
              -- by the primary key: the CASE keeps it from reading everything that the target is owed
              SELECT * FROM freshet.delivery
              WHERE tag = o.tag AND CASE WHEN target = o.target THEN lease_id = o.lease END
              FOR UPDATE OFFSET 0) d) h
), leaves AS MATERIALIZED (
    SELECT tag, target FROM held WHERE is_done AND NOT newer
), gone AS (
    DELETE FROM freshet.delivery
    WHERE tag = ANY (ARRAY(SELECT tag FROM leaves))
      AND ((tag, target) IN (SELECT * FROM unnest(ARRAY(SELECT tag FROM leaves), ARRAY(SELECT target FROM leaves))))
          IS TRUE
), stays AS (
    -- each row exists and is locked: the INSERT finds it by its key, and updates it
    INSERT INTO freshet.delivery AS d
        (tag, target, handover, settled_handover, done_handover,
         changed_at, owed_at, due_at, rank,
         not_before, together,
         attempts, first_failed_at, last_failed_at,
         last_status, last_error)
    SELECT tag, target, handover,
           CASE WHEN is_done THEN claimed_handover WHEN fate = 'retry' THEN handover ELSE settled_handover END,
           CASE WHEN is_done THEN claimed_handover ELSE done_handover END,
           CASE WHEN is_done THEN handed_at ELSE changed_at END,
           CASE WHEN is_done THEN handed_at ELSE owed_at END,
           CASE WHEN fate = 'retry' THEN now() + make_interval(secs => greatest(
                    least(:#backoffMaxSeconds, :#backoffSeconds * power(2, least(attempts, 30)))
                        * (0.75 + random() / 2),
                    least(coalesce("retryAfterSeconds", 0), 600)))
                ELSE now() END,
           CASE WHEN is_done THEN 0 WHEN fate = 'retry' THEN CASE WHEN attempts < 5 THEN 1 ELSE 2 END ELSE rank END,
           CASE WHEN fate = 'retry' THEN now() + make_interval(secs => least("retryAfterSeconds", 600)) END,
           CASE WHEN result = 'halve' OR result = 'failed' AND status >= 500 AND company > 1
                THEN greatest(1, company / 2)
                WHEN result = 'delivered' THEN NULL ELSE together END,
           CASE WHEN is_done THEN 0 WHEN fate = 'retry' THEN attempts + 1 ELSE attempts END,
           CASE WHEN is_done THEN NULL WHEN fate = 'retry' THEN coalesce(first_failed_at, now())
                ELSE first_failed_at END,
           CASE WHEN result = 'failed' THEN now() ELSE last_failed_at END,
           CASE WHEN result = 'failed' THEN status ELSE last_status END,
           CASE WHEN result = 'failed' THEN error ELSE last_error END
    FROM held WHERE newer OR NOT is_done
    ON CONFLICT (tag, target) DO UPDATE SET
        lease_id = NULL, claimed_handover = NULL,
        settled_handover = excluded.settled_handover, done_handover = excluded.done_handover,
        changed_at = excluded.changed_at, owed_at = excluded.owed_at, due_at = excluded.due_at, rank = excluded.rank,
        not_before = excluded.not_before, together = excluded.together,
        attempts = excluded.attempts, first_failed_at = excluded.first_failed_at,
        last_failed_at = excluded.last_failed_at, last_status = excluded.last_status, last_error = excluded.last_error
), buried AS (
    INSERT INTO freshet.dead_letter AS l
        (target, tag, attempts, last_status, last_error, first_failed_at, last_failed_at, handover, done_handover)
    SELECT target, tag, attempts + 1, status, error,
           coalesce(first_failed_at, now()), now(), claimed_handover, done_handover
    FROM held WHERE fate = 'dead' ORDER BY tag, target
    ON CONFLICT (tag, target) DO UPDATE SET
        attempts = l.attempts + excluded.attempts, last_status = excluded.last_status,
        last_error = excluded.last_error, last_failed_at = excluded.last_failed_at, handover = excluded.handover
), arrived AS MATERIALIZED (
    SELECT tag, target FROM held WHERE fate = 'delivered'
), cleared AS (
    DELETE FROM freshet.dead_letter
    WHERE tag = ANY (ARRAY(SELECT tag FROM arrived))
      AND ((tag, target) IN (SELECT * FROM unnest(ARRAY(SELECT tag FROM arrived), ARRAY(SELECT target FROM arrived))))
          IS TRUE
), settled AS MATERIALIZED (
    -- the hand-over up to which each tag has an outcome at the targets of these calls, and at all others
    SELECT tag, upto, (SELECT min(settled_handover) FROM freshet.delivery d
                       WHERE d.tag = t.tag AND d.target <> ALL (t.targets)) AS elsewhere
    FROM (SELECT tag, array_agg(target) AS targets,
                 min(CASE WHEN is_done THEN claimed_handover
                          WHEN fate = 'retry' THEN handover ELSE settled_handover END) AS upto
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
), free AS MATERIALIZED (
    SELECT tag, time_bucket FROM locked WHERE is_free
), marked AS (
    UPDATE public.cache_invalidation_queue SET last_invalidated_at = now(), handover = NULL
    WHERE tag = ANY (ARRAY(SELECT tag FROM free))
      AND ((tag, time_bucket) IN (
              SELECT * FROM unnest(ARRAY(SELECT tag FROM free), ARRAY(SELECT time_bucket FROM free)))) IS TRUE
), marked_later AS (
    INSERT INTO freshet.mark_later (tag) SELECT DISTINCT tag FROM locked WHERE NOT is_free
), audited AS (
    INSERT INTO public.invalidation_audit
        (kind, target, keys, triggered_by, outcome, status, detail, request_id, latency_ms)
    SELECT 'delivery', freshet.fit_audit(target, 'target'), jsonb_agg(tag ORDER BY tag), 'queue', fate,
           max(status), freshet.fit_audit(max(error), 'detail'), freshet.fit_audit(call, 'request_id'),
           extract(epoch FROM now() - min(changed_at)) * 1000
    FROM held WHERE fate <> 'back' AND freshet.audits()
    GROUP BY target, call, fate
), news AS (
    -- a call counts once, however many tags it carried: its first tag represents it, so a single broken tag counts
    -- once, too
    SELECT target, bool_or(answered) AS answered, array_agg(DISTINCT first_tag) FILTER (WHERE unanswered) AS failing
    FROM (SELECT target, bool_or(NOT unanswered) AS answered, bool_or(unanswered) AS unanswered, min(tag) AS first_tag
          FROM held WHERE result <> 'returned' GROUP BY target, call) calls
    GROUP BY target
), before AS MATERIALIZED (
    -- ordered, so that two settlements for several targets cannot deadlock
    SELECT t.name, t.open_until IS NOT NULL AS open, t.failing_tags
    FROM freshet.target t JOIN news n ON n.target = t.name
    WHERE NOT n.answered OR t.open_until IS NOT NULL OR t.failing_tags <> '{}'
    ORDER BY t.name FOR UPDATE OF t
), breaker AS (
    -- while it is open, only an answer changes it: the claim times the probes
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
-- If a crash of PostgreSQL undoes a settlement, the call is repeated, with the same webhook-id. So this commit need not
-- wait for the disk. A hand-over's commit must, because a number that is assigned twice would lose a change.
SELECT set_config('synchronous_commit', 'off', true),
       (SELECT jsonb_object_agg(name, open) FROM breaker WHERE open <> was_open)::text AS breakers,
       (SELECT array_agg(tag) FROM settled WHERE elsewhere < upto) AS look_again,
       (SELECT array_agg(DISTINCT target) FROM held
        WHERE newer OR fate = 'back') AS due_again
