-- Run after a fold of a single row met a lock of someone else: the tag that cannot be folded now.
SELECT tag FROM freshet.inbox WHERE id > :#floor AND tag <> ALL (:#blocked::text[]) ORDER BY id LIMIT 1
