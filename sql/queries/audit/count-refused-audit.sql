-- Last in its transaction, so that the counter's row is not held for longer than it takes to commit.
INSERT INTO freshet.counter AS c (name, value) VALUES ('audit_rows_refused', 1)
ON CONFLICT (name) DO UPDATE SET value = c.value + 1
