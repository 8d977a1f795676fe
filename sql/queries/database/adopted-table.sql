SELECT current_user AS role, c.relkind::text AS kind, pg_has_role(current_user, c.relowner, 'USAGE') AS is_ours,
       pg_get_userbyid(c.relowner) AS owner, row_security_active(c.oid) AS hides_rows
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = :#table
