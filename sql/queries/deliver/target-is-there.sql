-- Where a route of a target is stopped or switched off its file is there all the same: deleted on another instance,
-- it stays owed.
UPDATE freshet.target t SET deleted_at = NULL
FROM (SELECT name FROM freshet.target WHERE coalesce(copy_of, name) = ANY (:#names::text[])
    AND deleted_at IS NOT NULL FOR UPDATE SKIP LOCKED) kept
WHERE t.name = kept.name
