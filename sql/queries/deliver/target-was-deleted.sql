-- An instance has seen that a target's file was deleted: marks the target and its copies. If another instance still
-- serves the target, it removes the mark within a second. Otherwise what the target is owed waits for another minute,
-- because the file may come back.
UPDATE freshet.target SET deleted_at = now(), served_at = now()
WHERE (name = :#name OR copy_of = :#name) AND deleted_at IS NULL
