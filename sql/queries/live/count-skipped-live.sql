INSERT INTO freshet.counter AS c (name, value) VALUES ('live_skipped',
    :#skipped) ON CONFLICT (name) DO UPDATE SET value = c.value + excluded.value
