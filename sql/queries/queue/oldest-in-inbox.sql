-- Which tag is it that cannot be folded now? Asked when a fold of one row ran into somebody else's lock.
SELECT tag FROM freshet.inbox WHERE id > :#floor AND tag <> ALL (:#blocked::text[]) ORDER BY id LIMIT 1
