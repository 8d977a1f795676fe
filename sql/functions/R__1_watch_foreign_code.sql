-- Finds other people's code that would run with Freshet's rights if Freshet read a table.

-- The table and all below it.
CREATE OR REPLACE FUNCTION freshet.family(watched regclass) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
WITH RECURSIVE family(id) AS (
    SELECT watched::oid
    UNION SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.id
)
SELECT id FROM family
$$;

-- Reading a table can run its owner's code: while planning, PostgreSQL evaluates the constant parts of the table's
-- index, constraint, statistics and partition expressions. Returns a function used there whose owner does not have
-- Freshet's rights anyway; null if there is none.
CREATE OR REPLACE FUNCTION freshet.foreign_code_in(watched regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
WITH family AS MATERIALIZED (
    SELECT id FROM freshet.family(watched) id
), holder(classid, objid) AS (
    SELECT 'pg_class'::regclass::oid, id FROM family
    UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid IN (SELECT id FROM family)
    UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid IN (SELECT id FROM family)
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid IN (SELECT id FROM family)
), code(id) AS (
    SELECT d.refobjid FROM pg_depend d JOIN holder h USING (classid, objid) WHERE d.refclassid = 'pg_proc'::regclass
    UNION SELECT o.oprcode FROM pg_depend d JOIN holder h USING (classid, objid)
        JOIN pg_operator o ON o.oid = d.refobjid
    WHERE d.refclassid = 'pg_operator'::regclass
)
SELECT min(p.oid::regprocedure::text) FROM code JOIN pg_proc p ON p.oid = code.id
WHERE NOT pg_has_role(p.proowner, (SELECT nspowner FROM pg_namespace WHERE nspname = 'freshet'), 'MEMBER')
$$;

-- An owner of the table, or of one below it, who does not have Freshet's rights anyway; null if there is none. A
-- transaction with an old snapshot may not see the code that such an owner has added since then.
CREATE OR REPLACE FUNCTION freshet.foreign_owner_of(watched regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT min(pg_get_userbyid(c.relowner)::text) FROM freshet.family(watched) id JOIN pg_class c ON c.oid = id
WHERE NOT pg_has_role(c.relowner, (SELECT nspowner FROM pg_namespace WHERE nspname = 'freshet'), 'MEMBER')
$$;
