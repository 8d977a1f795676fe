-- The rows that belong to one request or to one pattern, newest first.
WITH matching AS MATERIALIZED (
    SELECT a FROM public.invalidation_audit a
    WHERE (:#requestId::text IS NULL OR a.request_id = :#requestId)
        AND (:#pattern::text IS NULL OR a.pattern = :#pattern)
      AND CASE WHEN :#kinds::text[] IS NULL
               THEN kind IS NULL OR kind IN ('invalidation', 'no-target') OR kind = 'delivery'
                   AND outcome IN ('delivered', 'dead')
               ELSE cardinality(:#kinds::text[]) = 0 OR kind = ANY (:#kinds::text[]) END
      AND (:#key::text IS NULL OR a.keys @> to_jsonb(:#key::text))
    LIMIT :#countTo
), total AS (
    SELECT count(*) AS total FROM matching
)
SELECT total.total, page.* FROM total LEFT JOIN LATERAL (
    SELECT freshet.audit_as_json(m.a) AS log,
        to_char((m.a).timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS at,
            (m.a).id::text AS id
    FROM matching m
    WHERE :#beforeAt::timestamptz IS NULL
       OR ((m.a).timestamp::timestamptz, length((m.a).id::text), (m.a).id::text)
          < (:#beforeAt::timestamptz, length(:#beforeId::text), :#beforeId::text)
    ORDER BY (m.a).timestamp DESC, length((m.a).id::text) DESC, (m.a).id::text DESC
    LIMIT :#limit OFFSET :#offset) page ON true
