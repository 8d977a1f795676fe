-- In a transaction of its own, which holds no lock that anyone but writers of the audit waits for.
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_newest
    ON public.invalidation_audit (timestamp DESC);                    -- forget_audit
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_listed
    ON public.invalidation_audit (timestamp DESC)                     -- GET /audit/logs
    WHERE kind IS NULL OR kind IN ('invalidation', 'no-target')
       OR kind = 'delivery' AND outcome IN ('delivered', 'dead');
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_request
    ON public.invalidation_audit USING hash (request_id);             -- ?request_id=
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_pattern
    ON public.invalidation_audit USING hash (pattern);                -- ?pattern=
CREATE INDEX IF NOT EXISTS freshet_invalidation_audit_xid
    ON public.invalidation_audit USING brin (xid)                     -- seal_audit, verify_audit
    WITH (pages_per_range = 16, autosummarize = on);
