-- Fences ("is it out?"): a transaction asks for a fence, which then knows what the transaction has changed.
-- docs/fence.md says what the answer means. sql/functions/R__cache_invalidation_fence.sql creates fences and records
-- the changes at commit; the turn records what becomes of them (sql/queries/queue/note-folded.sql, note-handed.sql);
-- freshet.delivery and freshet.dead_letter show how they ended. If nobody asks, all these tables are empty.

CREATE TABLE freshet.fence (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token    text        NOT NULL UNIQUE,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- the last look at the transaction's own changes; null: there was none, so nobody knows what it has changed
    noted_at timestamptz,
    noted_to bigint      NOT NULL DEFAULT 0,                          -- last id of the inbox at that look
    quiet    smallint    NOT NULL DEFAULT 0                           -- how many looks in a row have found nothing more
) WITH (vacuum_truncate = off);
CREATE INDEX fence_oldest ON freshet.fence (asked_at);
COMMENT ON TABLE freshet.fence IS 'Transactions that asked for cache_invalidation_fence(), for a day';

-- The three stages of a change. In the inbox:
CREATE TABLE freshet.fence_inbox (
    inbox bigint NOT NULL,                                            -- freshet.inbox.id
    fence bigint NOT NULL,
    tag   text   NOT NULL,
    PRIMARY KEY (inbox, fence)
) WITH (vacuum_truncate = off);
CREATE INDEX fence_inbox_of ON freshet.fence_inbox (fence);

-- In the queue: handed over once the row's handed_count has reached this count, or the row is gone.
CREATE TABLE freshet.fence_queue (
    fence       bigint      NOT NULL,
    tag         text        NOT NULL,
    time_bucket timestamptz NOT NULL,
    count       integer     NOT NULL,
    PRIMARY KEY (fence, tag, time_bucket)
) WITH (vacuum_truncate = off);
CREATE INDEX fence_queue_of_tag ON freshet.fence_queue (tag);

-- Owed to a target: done once that delivery is gone, or its done_handover has reached this hand-over.
CREATE TABLE freshet.fence_delivery (
    fence    bigint NOT NULL,
    tag      text   NOT NULL,
    target   text   NOT NULL,
    delivery bigint NOT NULL,                                         -- freshet.delivery.id
    handover bigint NOT NULL,
    PRIMARY KEY (fence, tag, target)
) WITH (vacuum_truncate = off);
CREATE INDEX fence_delivery_of ON freshet.fence_delivery (delivery, handover);   -- console/fences: what waits for it?

-- Tokens are signed, so that nobody can forge one; see freshet.fence_signature().
CREATE TABLE freshet.fence_secret (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    secret   bytea   NOT NULL
) WITH (vacuum_truncate = off);
INSERT INTO freshet.fence_secret (secret) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
