-- Requests to invalidate and processed tags, newest first; the condition is that of the index
-- freshet_invalidation_audit_listed. In an adopted table, ids may be of any type; if they are numbers, the longer one
-- is newer.
WITH total AS (
    SELECT count(*) AS total FROM (
        SELECT FROM public.invalidation_audit a
        WHERE kind IS NULL OR kind IN ('invalidation', 'no-target') OR kind = 'delivery'
            AND outcome IN ('delivered', 'dead')
        LIMIT :#countTo) counted
)
SELECT total.total, page.*, NULL AS end_at, NULL AS end_id FROM total LEFT JOIN LATERAL (
    SELECT freshet.audit_as_json(a) AS log,
        to_char(a.timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS at, a.id::text AS id
    FROM public.invalidation_audit a
    WHERE (kind IS NULL OR kind IN ('invalidation', 'no-target') OR kind = 'delivery'
        AND outcome IN ('delivered', 'dead'))
      AND (:#beforeAt::timestamptz IS NULL OR a.timestamp <= :#beforeAt::timestamptz
          AND (a.timestamp::timestamptz, length(a.id::text), a.id::text)
            < (:#beforeAt::timestamptz, length(:#beforeId::text), :#beforeId::text))
    ORDER BY a.timestamp DESC, length(a.id::text) DESC, a.id::text DESC LIMIT :#limit OFFSET :#offset) page ON true
