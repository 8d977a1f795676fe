-- The maximum number of connections of this role to this database. How many of them others use is unknown.
SELECT least(
    current_setting('max_connections')::integer
        - CASE WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN 0
               ELSE current_setting('superuser_reserved_connections')::integer END,
    (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0),
    (SELECT datconnlimit FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0)) AS connections
