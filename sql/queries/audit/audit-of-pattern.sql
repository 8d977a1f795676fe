-- The rows of one pattern, newest first, by the index freshet_invalidation_audit_pattern, which has them in this order.
WITH total AS (
    SELECT count(*) AS total FROM (
        SELECT FROM public.invalidation_audit a
        WHERE hashtextextended(a.pattern::text, 0) = hashtextextended(freshet.fit_audit(:#pattern, 'pattern'), 0)
          AND a.pattern = freshet.fit_audit(:#pattern, 'pattern')
          AND freshet.audit_asked_for(:#kinds::text[], a.kind, a.outcome)
          AND (:#key::text IS NULL OR a.keys @> to_jsonb(:#key::text))
        LIMIT :#countTo) counted
)
SELECT total.total, page.*, NULL AS end_at, NULL AS end_id FROM total LEFT JOIN LATERAL (
    SELECT freshet.audit_as_json(a) AS log,
        to_char(a.timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS at, a.id::text AS id
    FROM public.invalidation_audit a
    WHERE hashtextextended(a.pattern::text, 0) = hashtextextended(freshet.fit_audit(:#pattern, 'pattern'), 0)
      AND a.pattern = freshet.fit_audit(:#pattern, 'pattern')
      AND freshet.audit_asked_for(:#kinds::text[], a.kind, a.outcome)
      AND (:#key::text IS NULL OR a.keys @> to_jsonb(:#key::text))
      AND (:#beforeAt::timestamptz IS NULL OR a.timestamp <= :#beforeAt::timestamptz
          AND (a.timestamp::timestamptz, length(a.id::text), a.id::text)
            < (:#beforeAt::timestamptz, length(:#beforeId::text), :#beforeId::text))
    ORDER BY a.timestamp DESC, length(a.id::text) DESC, a.id::text DESC LIMIT :#limit OFFSET :#offset) page ON true
