-- An audit that nobody rewrites: rows may only be added to it (freshet.keep_audit()). If somebody changes it all the
-- same, its chain of seals shows that.

-- freshet.forget_audit() writes this, and only its transaction sees it: what may be removed, and nothing younger.
CREATE TABLE freshet.audit_retention (
    allowed_in  xid8        PRIMARY KEY,
    older_than  timestamptz NOT NULL
) WITH (vacuum_truncate = off);

-- Evidence of tampering, without a cost for each write: batches of rows whose transactions are over for good (by xid,
-- so that no late commit belongs to a batch that is closed already). Each has its rows' digests; their hashes chain the
-- batches. Rows from before have no xid and are not covered.
CREATE TABLE freshet.audit_seal (
    number    bigint        PRIMARY KEY,
    from_xid  bigint        NOT NULL,                                 -- included
    upto_xid  bigint        NOT NULL,                                 -- not included
    rows      integer       NOT NULL,
    digests   bytea         NOT NULL,                                 -- 32 bytes a row, in the order of xid and id
    stamps    timestamptz[] NOT NULL,                                 -- each row's time: was a missing row old enough?
    newest    timestamptz   NOT NULL,                                 -- the newest of the stamps
    previous  bytea         NOT NULL,
    hash      bytea         NOT NULL,
    sealed_at timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT every_row_has_its_digest CHECK (length(digests) = rows * 32),
    CONSTRAINT every_row_has_its_stamp CHECK (cardinality(stamps) = rows)
) WITH (vacuum_truncate = off);
CREATE TABLE freshet.audit_forgotten (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    older_than timestamptz NOT NULL,                                  -- the retention has removed rows up to here,
    seals_upto bigint      NOT NULL DEFAULT 0,                        -- and the seals up to this one,
    last_hash  bytea       NOT NULL DEFAULT ''                        -- whose hash the next one contains
) WITH (vacuum_truncate = off);
