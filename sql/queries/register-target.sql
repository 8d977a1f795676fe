-- An instance serves this target: known from now on, and owed every change that is handed over from now on.
INSERT INTO freshet.target AS t (name, takes_queue, batch) VALUES (:#name, :#takesQueue, :#batch)
ON CONFLICT (name) DO UPDATE SET takes_queue = excluded.takes_queue, batch = excluded.batch, served_at = now()
WHERE t.served_at < now() - interval '15 seconds' OR t.takes_queue <> excluded.takes_queue OR t.batch <> excluded.batch
