-- How long until this budget is full again; with its limits, that tells how much is available. Spends nothing.
SELECT extract(epoch FROM greatest(calls_full_at, clock_timestamp()) - clock_timestamp())::double precision
           AS calls_seconds,
       extract(epoch FROM greatest(tags_full_at, clock_timestamp()) - clock_timestamp())::double precision
           AS tags_seconds
FROM freshet.budget WHERE name = :#name::text
