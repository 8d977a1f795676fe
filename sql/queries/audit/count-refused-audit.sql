-- The last statement of its transaction, so that the counter's row is locked only until the commit.
INSERT INTO freshet.counter AS c (name, value) VALUES ('audit_rows_refused', 1)
ON CONFLICT (name) DO UPDATE SET value = c.value + 1
