-- The invalidation service: its requests, what it publishes, and what it counts.

-- A request's answer, for anyone who repeats the request_id. It is written together with the request's effect.
CREATE TABLE freshet.invalidation_request (
    request_id text        PRIMARY KEY,
    answer     text        NOT NULL,
    asked_at   timestamptz NOT NULL DEFAULT now()
) WITH (vacuum_truncate = off);
CREATE INDEX invalidation_request_oldest ON freshet.invalidation_request (asked_at);   -- forget-invalidation-requests

-- What is to be published to the topic cache-invalidate: written together with the effect, deleted once it was sent.
CREATE TABLE freshet.publication (
    number       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),      -- for subscribers that drop duplicates
    pattern      text        NOT NULL DEFAULT '',                     -- '': keys only
    keys         jsonb       NOT NULL,
    tags         text[],
    triggered_by text        NOT NULL,
    request_id   text        NOT NULL,
    published_at timestamptz NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    not_before   timestamptz NOT NULL DEFAULT '-infinity',
    topic        text        NOT NULL DEFAULT 'publish',              -- the route that sends it on
    copied       boolean     NOT NULL DEFAULT false                   -- every other route publish-NAME
                                                                      -- has a row of its own for it
) WITH (vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
-- for the relay: the oldest of a topic, however many publications wait for another topic
CREATE INDEX publication_oldest_of_topic ON freshet.publication (topic, number);

-- Counts from all instances, which whichever instance comes by adds up. Append-only, so that no count waits for
-- another.
CREATE TABLE freshet.tally (
    name  text   NOT NULL,
    value bigint NOT NULL
) WITH (vacuum_truncate = off);
