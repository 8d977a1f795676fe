-- Stats jobs: precomputed statistics, brought up to date by functions that run in parallel.

-- The table of the replaced worker: an existing one is adopted with its rows.
CREATE TABLE IF NOT EXISTS public.background_job_status (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    job_type      text        NOT NULL DEFAULT 'stats_update',
    job_payload   jsonb,                                              -- triggeredBy, requestId,
                                                                      -- matchId, userId, tenantId
    status        text        NOT NULL DEFAULT 'queued'
        CONSTRAINT status_is_known CHECK (status IN (
            'queued',                                                 -- waiting, for the first time or after a retry,
                                                                      -- a hand-back or a worker's death
            'processing',                                             -- todo -> doing: a worker holds it
                                                                      -- as long as it renews lease_until
            'completed',                                              -- doing -> done: every function succeeded
            'failed')),                                               -- doing -> given up until somebody retries;
                                                                      -- todo -> cancelled
    priority      integer     NOT NULL DEFAULT 1,                     -- 2 after a match, 1 for admins and cron
    retry_count   integer     NOT NULL DEFAULT 0,
    tenant_id     uuid,
    error_message text,
    results       jsonb,
    started_at    timestamptz,
    completed_at  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);
ALTER TABLE public.background_job_status
    ADD COLUMN IF NOT EXISTS worker_id   text,
    ADD COLUMN IF NOT EXISTS queue_name  text,
    ADD COLUMN IF NOT EXISTS attempt     integer NOT NULL DEFAULT 0,  -- a fencing number: whoever writes for an older
                                                                      -- attempt writes nothing
    ADD COLUMN IF NOT EXISTS round       integer NOT NULL DEFAULT 0,  -- a completed job that is queued again
                                                                      -- runs all of its functions again
    ADD COLUMN IF NOT EXISTS deaths      integer NOT NULL DEFAULT 0,  -- workers lost since somebody last queued it
    ADD COLUMN IF NOT EXISTS lease_until timestamptz;                 -- of the worker that holds it;
                                                                      -- null while processing: not one of Freshet's
CREATE INDEX IF NOT EXISTS freshet_background_job_status_open ON public.background_job_status (status, created_at)
    WHERE status IN ('queued', 'processing');                         -- claim-job, recover-jobs:
                                                                      -- which is next, which is overdue
CREATE INDEX IF NOT EXISTS freshet_background_job_status_newest
    ON public.background_job_status (created_at DESC, id);            -- GET /api/admin/jobs

-- Columns that an adopted table may require and Freshet leaves out.
ALTER TABLE public.background_job_status
    ALTER COLUMN job_payload DROP NOT NULL, ALTER COLUMN tenant_id DROP NOT NULL,
    ALTER COLUMN error_message DROP NOT NULL, ALTER COLUMN results DROP NOT NULL,
    ALTER COLUMN started_at DROP NOT NULL, ALTER COLUMN completed_at DROP NOT NULL;

ALTER TABLE public.background_job_status
    ADD CONSTRAINT leased_only_while_processing CHECK (lease_until IS NULL OR status = 'processing'),
    ADD CONSTRAINT counts_are_not_negative CHECK (attempt >= 0 AND round >= 0 AND deaths >= 0);

-- One function of one job; `results` is assembled from these. A row with success stays, so that a later attempt does
-- not run the function again.
CREATE TABLE freshet.job_function (
    job_id     uuid        NOT NULL,
    function   text        NOT NULL,
    round      integer     NOT NULL,
    attempt    integer     NOT NULL,                                  -- the last one that had to run it
    tags       text[]      NOT NULL,
    status     text        NOT NULL,
    error      text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at   timestamptz,
    refreshed  boolean     NOT NULL DEFAULT false,                    -- its tags were delivered,
                                                                      -- or are in freshet.delivery
    PRIMARY KEY (job_id, function),
    CONSTRAINT status_is_known CHECK (status IN ('running', 'success', 'failed')),
    CONSTRAINT ended_unless_running CHECK ((status = 'running') = (ended_at IS NULL)),
    CONSTRAINT failed_says_why CHECK ((status = 'failed') = (error IS NOT NULL)),
    CONSTRAINT only_success_is_refreshed CHECK (status = 'success' OR NOT refreshed)
) WITH (vacuum_truncate = off);
CREATE INDEX job_function_owes_tags ON freshet.job_function (job_id)
    WHERE status = 'success' AND NOT refreshed;                       -- owe-refresh

-- The same request again is the same job, even if the job's row has been deleted since.
CREATE TABLE freshet.job_request (
    request_id text        PRIMARY KEY,
    job_id     uuid        NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);
CREATE INDEX job_request_oldest ON freshet.job_request (asked_at);    -- forget-jobs
INSERT INTO freshet.job_request (request_id, job_id, asked_at)
SELECT DISTINCT ON (job_payload ->> 'requestId') job_payload ->> 'requestId', id, created_at
FROM public.background_job_status WHERE job_payload ->> 'requestId' <> '' AND length(job_payload ->> 'requestId') <= 200
ORDER BY job_payload ->> 'requestId', created_at;

-- A table that V11 created (not one that it found and adopted) hides its rows from everyone to whom operators give no
-- policy.
DO $$
BEGIN
    IF 'public.background_job_status'::regclass::oid > 'freshet.watch'::regclass::oid THEN
        ALTER TABLE public.background_job_status ENABLE ROW LEVEL SECURITY;
        PERFORM freshet.settle_in('public.background_job_status', 'pg_class', 'stats jobs');
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.background_job_status TO service_role;
        END IF;
    END IF;
END $$;
