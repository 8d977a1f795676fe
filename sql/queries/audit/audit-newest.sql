-- Rows by kind, or by a key or tag, but only among the newest ones: an index would slow down every delivery, which is
-- not worth it.
WITH newest AS NOT MATERIALIZED (
    SELECT a FROM public.invalidation_audit a
    WHERE :#beforeAt::timestamptz IS NULL OR a.timestamp <= :#beforeAt::timestamptz
          AND (a.timestamp::timestamptz, length(a.id::text), a.id::text)
            < (:#beforeAt::timestamptz, length(:#beforeId::text), :#beforeId::text)
    ORDER BY a.timestamp DESC, length(a.id::text) DESC, a.id::text DESC LIMIT :#window
), total AS (
    SELECT count(*) AS total FROM (
        SELECT FROM newest n
        WHERE CASE WHEN :#kinds::text[] IS NULL
                   THEN (n.a).kind IS NULL OR (n.a).kind IN ('invalidation', 'no-target') OR (n.a).kind = 'delivery'
                       AND (n.a).outcome IN ('delivered', 'dead')
                   ELSE cardinality(:#kinds::text[]) = 0 OR (n.a).kind = ANY (:#kinds::text[]) END
          AND (:#key::text IS NULL OR (n.a).keys @> to_jsonb(:#key::text))
        LIMIT :#countTo) counted
)
SELECT total.total, page.* FROM total LEFT JOIN LATERAL (
    SELECT freshet.audit_as_json(n.a) AS log,
        to_char((n.a).timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS at,
            (n.a).id::text AS id
    FROM newest n
    WHERE CASE WHEN :#kinds::text[] IS NULL
               THEN (n.a).kind IS NULL OR (n.a).kind IN ('invalidation', 'no-target') OR (n.a).kind = 'delivery'
                   AND (n.a).outcome IN ('delivered', 'dead')
               ELSE cardinality(:#kinds::text[]) = 0 OR (n.a).kind = ANY (:#kinds::text[]) END
      AND (:#key::text IS NULL OR (n.a).keys @> to_jsonb(:#key::text))
    LIMIT :#limit OFFSET :#offset) page ON true
