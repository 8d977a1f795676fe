-- An adopted audit keeps its types, and its columns may be shorter than what Freshet writes. A row is then shortened;
-- nothing is refused because of it.

-- How many characters a column of the audit holds. It counts as immutable so that it is looked up once for each plan
-- and costs nothing for each row; a change of the table discards the plans that insert into it.
CREATE OR REPLACE FUNCTION freshet.audit_width(of_column text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT coalesce(max(greatest(a.atttypmod, t.typtypmod) - 4) FILTER (WHERE greatest(a.atttypmod, t.typtypmod) > 4),
    2147483647)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = 'public.invalidation_audit'::pg_catalog.regclass AND a.attname = of_column::pg_catalog.name
$$;

CREATE OR REPLACE FUNCTION freshet.fit_audit(value text, of_column text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.left(value, freshet.audit_width(of_column)) $$;
REVOKE ALL ON FUNCTION freshet.audit_width(text), freshet.fit_audit(text, text) FROM PUBLIC;
