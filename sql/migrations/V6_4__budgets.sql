-- What targets may spend: calls and tags a second, in a bucket that all instances share (dev.freshet.provider.Budgets).
-- A bucket is one moment, as in GCRA: when it will be full again. What is spent moves that moment on; a bucket whose
-- moment has passed is full, and nobody has to fill it. One row and one UPDATE for each call, whatever the limits are.
CREATE TABLE freshet.budget (
    name          text        PRIMARY KEY,          -- of a target, or what targets of one account share
    calls_full_at timestamptz NOT NULL,
    tags_full_at  timestamptz NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE freshet.budget IS 'What targets have spent of their providers'' limits, for all instances';
