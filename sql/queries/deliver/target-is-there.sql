-- A target whose route is stopped or switched off still has its file: if another instance has marked it as deleted, it
-- remains owed.
UPDATE freshet.target t SET deleted_at = NULL
FROM (SELECT name FROM freshet.target WHERE coalesce(copy_of, name) = ANY (:#names::text[])
    AND deleted_at IS NOT NULL FOR UPDATE SKIP LOCKED) kept
WHERE t.name = kept.name
