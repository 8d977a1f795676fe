SELECT count(*) AS total_count FROM freshet.dead_letter
WHERE (:#target::text IS NULL OR :#target IN (target, split_part(target, '@', 1)))
    AND (:#tag::text IS NULL OR tag = :#tag)
  AND (:#tagLike::text IS NULL OR tag LIKE :#tagLike)
  AND (:#error::text IS NULL OR strpos(lower(coalesce(last_error, '')), lower(:#error)) > 0)
