SELECT number, id::text AS id, pattern, keys::text AS keys, to_jsonb(tags)::text AS tags, triggered_by, request_id,
       to_char(published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS timestamp
FROM freshet.publication
WHERE topic = :#topic AND (copied OR NOT :#copied) AND not_before <= now()
    ORDER BY number LIMIT :#limit FOR UPDATE SKIP LOCKED
