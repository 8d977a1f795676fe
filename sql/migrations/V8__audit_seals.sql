-- An audit that nobody rewrites: rows may be added to it, and that is all (freshet.keep_audit()). What is done to it
-- all the same shows in its chain of seals.

-- Written by freshet.forget_audit() and seen only inside its transaction: what may leave, and nothing younger.
CREATE TABLE freshet.audit_retention (
    allowed_in  xid8        PRIMARY KEY,
    older_than  timestamptz NOT NULL
) WITH (vacuum_truncate = off);

-- Tamper evidence, off the way of every write: batches of rows whose transactions are over for good (by xid, so that a
-- late commit is in no batch that is closed already), each with its rows' digests, chained by their hashes. What was
-- there before has no xid and is not covered.
CREATE TABLE freshet.audit_seal (
    number    bigint        PRIMARY KEY,
    from_xid  bigint        NOT NULL,                                 -- included
    upto_xid  bigint        NOT NULL,                                 -- not included
    rows      integer       NOT NULL,
    digests   bytea         NOT NULL,                                 -- 32 bytes a row, in the order of xid and id
    stamps    timestamptz[] NOT NULL,                                 -- each row's time: was a missing one old enough?
    newest    timestamptz   NOT NULL,                                 -- of the stamps
    previous  bytea         NOT NULL,
    hash      bytea         NOT NULL,
    sealed_at timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT every_row_has_its_digest CHECK (length(digests) = rows * 32),
    CONSTRAINT every_row_has_its_stamp CHECK (cardinality(stamps) = rows)
) WITH (vacuum_truncate = off);
CREATE TABLE freshet.audit_forgotten (
    only_one   boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    older_than timestamptz NOT NULL,                                  -- the retention has removed rows up to here
    seals_upto bigint      NOT NULL DEFAULT 0,                        -- and the seals up to this one,
    last_hash  bytea       NOT NULL DEFAULT ''                        -- whose hash the next one names
) WITH (vacuum_truncate = off);
