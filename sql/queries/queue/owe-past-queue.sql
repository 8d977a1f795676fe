-- For a tag that the queue's table refuses (a constraint of an adopted table, a count that no longer fits): makes its
-- changes owed to every target without passing through that table. Runs under the turn, like the fold and the
-- hand-over, whose work it does.
WITH taken AS (
    DELETE FROM freshet.inbox WHERE tag = :#tag RETURNING changed_at
), owed AS (
    INSERT INTO freshet.delivery AS d
        (tag, target, handover, settled_handover, done_handover, changed_at, priority)
    SELECT :#tag, t.name, n.number, n.number, n.number - 1, least(now(), (SELECT min(changed_at) FROM taken)),
           coalesce((SELECT priority FROM freshet.policy_of(:#tag)), 5)
    FROM nextval('freshet.handover_number') AS n(number) CROSS JOIN freshet.target t
    WHERE t.takes_queue ORDER BY t.name
    ON CONFLICT (tag, target) DO UPDATE SET
        handover = greatest(d.handover + 1, nextval('freshet.handover_number')),
        rank = CASE WHEN d.attempts = 0 THEN 0 ELSE d.rank END,
        handed_at = excluded.handed_at, changed_at = least(d.changed_at, excluded.changed_at)
)
INSERT INTO freshet.counter AS c (name, value) VALUES ('tags_past_queue', 1)
ON CONFLICT (name) DO UPDATE SET value = c.value + 1
