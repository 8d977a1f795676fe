-- For the console: how many instances are connected (each names its connections after its process; behind a pooler this
-- is unknown), and the sizes of tables.
SELECT nullif((SELECT count(DISTINCT (client_addr, application_name)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name ~ '^freshet [0-9]+$'), 0) AS instances,
       (SELECT greatest(reltuples, 0) FROM pg_class
           WHERE oid = 'public.cache_invalidation_queue'::regclass)::double precision AS queue_rows,
       (SELECT count(*) FROM public.cache_invalidation_watches) AS watches
