INSERT INTO public.invalidation_audit (kind, target, keys, triggered_by, outcome, status, detail, request_id, timestamp)
SELECT kind, target, keys, "triggeredBy", outcome, status, detail, "requestId", "at"
FROM jsonb_to_recordset(:#rows::jsonb)
    AS r(kind text, target text, keys jsonb, "triggeredBy" text, outcome text, status integer, detail text,
        "requestId" text, "at" timestamptz)
