-- What triggers and the fold have counted since the database was created.
SELECT name, value FROM freshet.counter
