-- In a transaction of its own, which holds no lock that anyone but writers of the audit waits for.
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_newest
    ON public.invalidation_audit (timestamp DESC);                    -- forget_audit
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_listed
    ON public.invalidation_audit (timestamp DESC)                     -- GET /audit/logs
    WHERE kind IS NULL OR kind IN ('invalidation', 'no-target')
       OR kind = 'delivery' AND outcome IN ('delivered', 'dead');
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_request
    ON public.invalidation_audit USING hash (request_id);             -- ?request_id=
-- Deliveries are most of the rows, and neither of these costs them anything. Patterns are kept by their hash, because
-- one may be longer than an index takes.
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_pattern
    ON public.invalidation_audit (hashtextextended(pattern::text, 0), timestamp DESC)   -- ?pattern=
    WHERE pattern IS NOT NULL;
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_rare
    ON public.invalidation_audit (kind, timestamp DESC)               -- ?kind=
    WHERE kind <> 'delivery';
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_xid
    ON public.invalidation_audit USING brin (xid)                     -- seal_audit, verify_audit
    WITH (pages_per_range = 16, autosummarize = on);
