-- The target's file was deleted: it is owed nothing any more, and its dead letters have nobody to go to.
WITH target AS (DELETE FROM freshet.target WHERE name = :#name),
     owed AS (DELETE FROM freshet.delivery WHERE target = :#name)
DELETE FROM freshet.dead_letter WHERE target = :#name
