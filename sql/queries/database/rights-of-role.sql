-- Checked before anything is created. If the schema freshet exists already, the role must be able to add to it.
SELECT current_user AS role, current_database() AS database, to_regnamespace('freshet') IS NOT NULL AS is_there,
       has_database_privilege(current_database(), 'CREATE') AS may_create_schema,
       has_schema_privilege('public', 'CREATE') AS may_create_in_public,
       CASE WHEN to_regnamespace('freshet') IS NULL THEN true
            ELSE has_schema_privilege('freshet', 'CREATE') END AS may_use_schema
