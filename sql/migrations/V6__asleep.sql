-- An instance that has seen nothing for some seconds stops asking many times a second; whoever commits wakes it with
-- one NOTIFY. Until when somebody may be asleep, in seconds since 1970; in the past: everybody is awake. It is a
-- sequence because a sequence is not part of anybody's snapshot: what was set counts for every writer from that moment
-- on. To read it waits for nobody, and it leaves no dead rows behind.
CREATE SEQUENCE freshet.asleep_until;
COMMENT ON SEQUENCE freshet.asleep_until IS 'Until when writers wake an instance that is asleep, in seconds since 1970';
