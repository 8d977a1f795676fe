-- The audit log of the replaced invalidation service, in the form in which that service created it: an existing one is
-- adopted with its rows and types.
CREATE TABLE IF NOT EXISTS public.invalidation_audit (
    id           bigserial   PRIMARY KEY,
    pattern      text,
    keys         jsonb,
    triggered_by text,
    timestamp    timestamptz NOT NULL DEFAULT now(),
    request_id   text,
    latency_ms   bigint,
    created_at   timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);
ALTER TABLE public.invalidation_audit
    -- delivery, attempt, no-target, postponed, refused, request, replay, job, invalidation
    ADD COLUMN IF NOT EXISTS kind    text,
    ADD COLUMN IF NOT EXISTS target  text,
    ADD COLUMN IF NOT EXISTS outcome text,                            -- of a delivery: delivered, retry, dead
    ADD COLUMN IF NOT EXISTS status  integer,
    ADD COLUMN IF NOT EXISTS detail  text,
    ADD COLUMN IF NOT EXISTS xid     bigint;                          -- rows from before have none
-- Columns that an adopted table may require and Freshet does not always know.
ALTER TABLE public.invalidation_audit
    ALTER COLUMN pattern DROP NOT NULL, ALTER COLUMN keys DROP NOT NULL, ALTER COLUMN triggered_by DROP NOT NULL,
    ALTER COLUMN request_id DROP NOT NULL, ALTER COLUMN latency_ms DROP NOT NULL,
    ALTER COLUMN timestamp SET DEFAULT now(), ALTER COLUMN created_at SET DEFAULT now(),
    ALTER COLUMN xid SET DEFAULT pg_current_xact_id()::text::bigint;
DO $$
DECLARE id_type regtype;
BEGIN
    SELECT atttypid INTO id_type FROM pg_attribute
    WHERE attrelid = 'public.invalidation_audit'::regclass AND attname = 'id' AND NOT atthasdef AND attidentity = '';
    IF id_type = 'uuid'::regtype THEN
        ALTER TABLE public.invalidation_audit ALTER COLUMN id SET DEFAULT gen_random_uuid();
    ELSIF id_type IN ('text'::regtype, 'character varying'::regtype) THEN
        ALTER TABLE public.invalidation_audit ALTER COLUMN id SET DEFAULT gen_random_uuid()::text;
    ELSIF id_type IN ('integer'::regtype, 'bigint'::regtype) THEN
        CREATE SEQUENCE freshet.invalidation_audit_id;
        PERFORM setval('freshet.invalidation_audit_id',
            (SELECT coalesce(max(id::text::bigint), 0) + 1 FROM public.invalidation_audit), false);
        ALTER TABLE public.invalidation_audit ALTER COLUMN id SET DEFAULT nextval('freshet.invalidation_audit_id');
    END IF;
END $$;

-- An audit that V6 created (not one that it found and adopted) starts closed.
DO $$
BEGIN
    IF 'public.invalidation_audit'::regclass::oid > 'freshet.inbox'::regclass::oid THEN
        PERFORM freshet.settle_in('public.invalidation_audit', 'pg_class', 'the log of everything Freshet does');
    END IF;
END $$;
