-- The file of a target was deleted where an instance could see it: the target's, and its copies'. Whoever else serves
-- it says so within a second, and then this is void. Otherwise what it is owed waits for another minute: the file may
-- come back.
UPDATE freshet.target SET deleted_at = now(), served_at = now()
WHERE (name = :#name OR copy_of = :#name) AND deleted_at IS NULL
