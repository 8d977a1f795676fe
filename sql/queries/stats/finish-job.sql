-- The end of an attempt: its tags are delivered, or become owed to the batch target. The audit records this in the same
-- transaction.
WITH done AS MATERIALIZED (
    SELECT freshet.job_results(:#job::uuid, :#attempt) AS results,
           (SELECT string_agg(function || ': ' || error, '; ' ORDER BY function) FROM freshet.job_function
            WHERE job_id = :#job::uuid AND attempt = :#attempt AND status = 'failed') AS failures
), finished AS (
    UPDATE public.background_job_status j SET
        status = CASE WHEN failures IS NULL THEN 'completed' ELSE 'failed' END,
        results = done.results || :#refresh::jsonb,
        error_message = (done.results ->> 'failed_functions') || ' of ' || (done.results ->> 'total_functions')
                        || ' functions failed: ' || failures,
        retry_count = coalesce(retry_count, 0) + CASE WHEN failures IS NULL THEN 0 ELSE 1 END,
        completed_at = now()
    FROM done WHERE j.id = :#job::uuid AND j.attempt = :#attempt AND j.status = 'processing'
    RETURNING j.id, j.status, j.error_message, extract(epoch FROM now() - j.started_at) * 1000 AS took_ms, done.results
), settled AS (
    UPDATE freshet.job_function SET refreshed = true
    WHERE job_id = (SELECT id FROM finished) AND attempt = :#attempt AND status = 'success' AND NOT refreshed
), known AS MATERIALIZED (
    SELECT name FROM freshet.target WHERE name = :#target FOR KEY SHARE      -- so that it is not deleted meanwhile
), owed AS (
    INSERT INTO freshet.delivery AS d (tag, target, handover, settled_handover, done_handover, changed_at, due_at,
                                       rank, attempts, priority, first_failed_at, last_failed_at, last_status,
                                       last_error)
    SELECT tag, known.name, number, number, number - 1, now(), now() + make_interval(secs => :#backoffSeconds), 1, 1,
           coalesce((SELECT priority FROM freshet.policy_of(tag)), 5), now(), now(), :#lastStatus::integer, :#lastError
    FROM finished CROSS JOIN known CROSS JOIN unnest(:#owed::text[]) AS tag
         CROSS JOIN nextval('freshet.handover_number') AS next(number)
    ORDER BY tag
    ON CONFLICT (tag, target) DO UPDATE SET
        handover = greatest(d.handover + 1, nextval('freshet.handover_number')), handed_at = now()
), buried AS (
    INSERT INTO freshet.dead_letter AS l
        (target, tag, attempts, last_status, last_error, first_failed_at, last_failed_at, handover, done_handover)
    SELECT :#target, tag, 1, :#lastStatus::integer, coalesce(:#lastError, 'there is no such target any more'), now(),
        now(), NULL::bigint, NULL::bigint
    FROM finished CROSS JOIN unnest(:#owed::text[]) AS tag WHERE NOT EXISTS (SELECT FROM known)
    ORDER BY tag
    ON CONFLICT (tag, target) DO UPDATE SET
        attempts = l.attempts + excluded.attempts, last_status = excluded.last_status,
        last_error = excluded.last_error, last_failed_at = excluded.last_failed_at
), cleared AS (
    -- a letter written after the call began concerns a change that the call may not have covered
    DELETE FROM freshet.dead_letter l USING finished
    WHERE l.target = :#target AND l.tag = ANY (:#delivered::text[]) AND l.last_failed_at < :#askedAt::timestamptz
), audited AS (
    INSERT INTO public.invalidation_audit
        (kind, target, keys, triggered_by, outcome, status, detail, request_id, latency_ms)
    SELECT kind, freshet.fit_audit(target, 'target'), keys, freshet.fit_audit(:#source, 'triggered_by'), outcome,
           status, freshet.fit_audit(detail, 'detail'), freshet.fit_audit(:#requestId, 'request_id'), took_ms
    FROM (
        SELECT 'job', NULL, results -> 'function_results', finished.status::text, NULL::integer, error_message, took_ms
        FROM finished
        UNION ALL
        SELECT 'delivery', :#target, to_jsonb(:#delivered::text[]), 'delivered', 200, NULL, NULL
        FROM finished WHERE cardinality(:#delivered::text[]) > 0
        UNION ALL
        SELECT 'delivery', :#target, to_jsonb(:#owed::text[]),
               CASE WHEN EXISTS (SELECT FROM known) THEN 'retry' ELSE 'dead' END,
               :#lastStatus::integer, :#lastError, NULL
        FROM finished WHERE cardinality(:#owed::text[]) > 0
    ) ended (kind, target, keys, outcome, status, detail, took_ms)
    WHERE freshet.audits()
)
SELECT status, error_message, took_ms FROM finished
