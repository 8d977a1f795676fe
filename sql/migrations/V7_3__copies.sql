-- Every copy of an app is a target of its own: what it is owed, its breaker, its dead letters and its audit are as of
-- any other. It is called by the route of the target that it is a copy of.
ALTER TABLE freshet.target
    DROP CONSTRAINT name_is_a_plain_word,
    ADD CONSTRAINT name_is_a_plain_word CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}(@[^@\s]+)?$' AND length(name) <= 500),
    ADD COLUMN copy_of       text,          -- NAME of NAME@10.0.0.1:3000
    ADD COLUMN place         text,          -- of a copy, what is listed: app.internal:3000
    ADD COLUMN ip            text,          -- what the host name of that stands for, where it is asked
    ADD COLUMN missing_since timestamptz,   -- since when DNS does not name it any more
    ADD CONSTRAINT copy_is_named_after_its_target CHECK (copy_of IS NULL OR starts_with(name, copy_of || '@')),
    ADD CONSTRAINT copy_knows_its_place CHECK ((copy_of IS NULL) = (place IS NULL));
CREATE INDEX target_copies ON freshet.target (copy_of);
