-- What triggers and the fold have counted since the database exists.
SELECT name, value FROM freshet.counter
