-- The rows of one request, newest first. These are few, and the index freshet_invalidation_audit_request has them in no
-- order: one that has would make every delivery dearer. If many rows have an id, the planner finds them sooner by
-- freshet_invalidation_audit_newest.
WITH total AS (
    SELECT count(*) AS total FROM (
        SELECT FROM public.invalidation_audit a
        WHERE a.request_id = freshet.fit_audit(:#requestId, 'request_id')
          AND (:#pattern::text IS NULL OR a.pattern = freshet.fit_audit(:#pattern, 'pattern'))
          AND freshet.audit_asked_for(:#kinds::text[], a.kind, a.outcome)
          AND (:#key::text IS NULL OR a.keys @> to_jsonb(:#key::text))
        LIMIT :#countTo) counted
)
SELECT total.total, page.*, NULL AS end_at, NULL AS end_id FROM total LEFT JOIN LATERAL (
    SELECT freshet.audit_as_json(a) AS log,
        to_char(a.timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS at, a.id::text AS id
    FROM public.invalidation_audit a
    WHERE a.request_id = freshet.fit_audit(:#requestId, 'request_id')
      AND (:#pattern::text IS NULL OR a.pattern = freshet.fit_audit(:#pattern, 'pattern'))
      AND freshet.audit_asked_for(:#kinds::text[], a.kind, a.outcome)
      AND (:#key::text IS NULL OR a.keys @> to_jsonb(:#key::text))
      AND (:#beforeAt::timestamptz IS NULL OR a.timestamp <= :#beforeAt::timestamptz
          AND (a.timestamp::timestamptz, length(a.id::text), a.id::text)
            < (:#beforeAt::timestamptz, length(:#beforeId::text), :#beforeId::text))
    ORDER BY a.timestamp DESC, length(a.id::text) DESC, a.id::text DESC LIMIT :#limit OFFSET :#offset) page ON true
