INSERT INTO public.invalidation_audit (kind, target, keys, triggered_by, outcome, status, detail, request_id, timestamp)
SELECT kind, freshet.fit_audit(target, 'target'), keys, freshet.fit_audit("triggeredBy", 'triggered_by'), outcome,
       status, freshet.fit_audit(detail, 'detail'), freshet.fit_audit("requestId", 'request_id'), "at"
FROM jsonb_to_recordset(:#rows::jsonb)
    AS r(kind text, target text, keys jsonb, "triggeredBy" text, outcome text, status integer, detail text,
        "requestId" text, "at" timestamptz)
