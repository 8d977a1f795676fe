-- A row of the audit as GET /audit/logs shows it, with whole milliseconds and a pattern that is a string. This holds
-- even for an adopted table whose times have no zone and whose milliseconds are of another type.
CREATE OR REPLACE FUNCTION freshet.audit_as_json(a public.invalidation_audit) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT json_build_object('id', a.id, 'kind', a.kind, 'pattern', coalesce(a.pattern::text, ''),
    'keys', coalesce(a.keys, '[]'), 'triggered_by', a.triggered_by,
    'timestamp', to_char(a.timestamp::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'request_id', a.request_id,
    'latency', CASE WHEN a.latency_ms BETWEEN -9e15 AND 9e15 THEN round(a.latency_ms)::bigint END,
    'target', a.target, 'outcome', a.outcome, 'status', a.status, 'detail', a.detail)::text
$$;
REVOKE ALL ON FUNCTION freshet.audit_as_json(public.invalidation_audit) FROM PUBLIC;
