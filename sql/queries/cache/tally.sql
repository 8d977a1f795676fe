INSERT INTO freshet.tally (name, value) SELECT * FROM unnest(:#names::text[], :#values::bigint[])
