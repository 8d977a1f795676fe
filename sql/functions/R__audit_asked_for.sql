-- Whether a search of the audit asks for a row: null as kinds means what GET /audit/logs lists by itself (requests to
-- invalidate, and what became of tags), an empty array means every kind.
CREATE OR REPLACE FUNCTION freshet.audit_asked_for(kinds text[], kind text, outcome text) RETURNS boolean
LANGUAGE sql IMMUTABLE
-- without SET, PostgreSQL puts the expression in the place of the call
RETURN CASE WHEN kinds IS NULL
            THEN kind IS NULL OR kind IN ('invalidation', 'no-target')
                 OR kind = 'delivery' AND outcome IN ('delivered', 'dead')
            ELSE pg_catalog.cardinality(kinds) = 0 OR kind = ANY (kinds) END;
