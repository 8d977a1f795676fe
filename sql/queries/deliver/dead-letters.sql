-- GET /api/dead-letters: dead letters, newest first.
WITH matching AS MATERIALIZED (
    SELECT * FROM freshet.dead_letter
    WHERE (:#target::text IS NULL OR :#target IN (target, split_part(target, '@', 1)))
        AND (:#tag::text IS NULL OR tag = :#tag)
      AND (:#tagLike::text IS NULL OR tag LIKE :#tagLike)
      AND (:#error::text IS NULL OR strpos(lower(coalesce(last_error, '')), lower(:#error)) > 0)
)
SELECT id, target, tag, attempts, last_status, last_error, first_failed_at, last_failed_at
FROM matching ORDER BY last_failed_at DESC, id LIMIT :#limit OFFSET :#offset
