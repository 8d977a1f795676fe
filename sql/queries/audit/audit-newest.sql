-- Rows by kind, or by a key or tag, but only among the newest ones: an index would slow down every delivery, which is
-- not worth it. If there are rows beyond these, the end of the window is returned: a search may continue there.
WITH newest AS NOT MATERIALIZED (
    SELECT a FROM public.invalidation_audit a
    WHERE (:#beforeAt::timestamptz IS NULL OR a.timestamp <= :#beforeAt::timestamptz
          AND (a.timestamp::timestamptz, length(a.id::text), a.id::text)
            < (:#beforeAt::timestamptz, length(:#beforeId::text), :#beforeId::text))
    ORDER BY a.timestamp DESC, length(a.id::text) DESC, a.id::text DESC LIMIT :#window::integer
), total AS (
    SELECT count(*) AS total FROM (
        SELECT FROM newest n
        WHERE freshet.audit_asked_for(:#kinds::text[], (n.a).kind, (n.a).outcome)
          AND (:#key::text IS NULL OR (n.a).keys @> to_jsonb(:#key::text))
        LIMIT :#countTo) counted
), seen AS MATERIALIZED (
    SELECT to_char(a.timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS end_at,
           a.id::text AS end_id
    FROM public.invalidation_audit a
    WHERE :#window::integer IS NOT NULL AND (SELECT total FROM total) < :#countTo
      AND (:#beforeAt::timestamptz IS NULL OR a.timestamp <= :#beforeAt::timestamptz
          AND (a.timestamp::timestamptz, length(a.id::text), a.id::text)
            < (:#beforeAt::timestamptz, length(:#beforeId::text), :#beforeId::text))
    ORDER BY a.timestamp DESC, length(a.id::text) DESC, a.id::text DESC LIMIT 1 OFFSET :#window::integer - 1
)
SELECT total.total, page.*, seen.end_at, seen.end_id
FROM total LEFT JOIN seen ON true LEFT JOIN LATERAL (
    SELECT freshet.audit_as_json(n.a) AS log,
        to_char((n.a).timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS at,
            (n.a).id::text AS id
    FROM newest n
    WHERE freshet.audit_asked_for(:#kinds::text[], (n.a).kind, (n.a).outcome)
      AND (:#key::text IS NULL OR (n.a).keys @> to_jsonb(:#key::text))
    LIMIT :#limit OFFSET :#offset) page ON true
