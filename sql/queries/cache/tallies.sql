SELECT name, sum(value)::bigint AS value
    FROM (SELECT name, value FROM freshet.counter UNION ALL SELECT name, value FROM freshet.tally) every GROUP BY name
