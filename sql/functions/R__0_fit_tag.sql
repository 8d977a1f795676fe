-- What a trigger writes into the inbox for a tag. A tag that is too long or empty becomes a row without a tag, which
-- the fold counts as skipped.
CREATE OR REPLACE FUNCTION freshet.fit_tag(tag text) RETURNS text
LANGUAGE sql IMMUTABLE
-- without SET, PostgreSQL puts the expression in the place of the call
RETURN CASE WHEN pg_catalog.length(tag) BETWEEN 1 AND 256 THEN tag END;
