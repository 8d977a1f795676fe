-- Claims what is due for one target, under a lease: if the instance dies, the deliveries are due again at due_at. The
-- highest priority goes first; within a priority, first attempts go before retries, of which it takes at most :retries,
-- because tags that always fail must not hold up the others. Now and then the lowest priority goes first, so that none
-- waits forever. An open breaker lets nothing through. When its time is over, it lets one probe through: of the
-- deliveries that have failed least, the newest, because after many tags broke at once the broken ones are the oldest.
-- How far back the claim looks only narrows the search (dev.freshet.deliver.LookBack): while someone holds an old
-- snapshot, deleted rows cannot be vacuumed, and each claim would walk past all of them. For a target that follows
-- another one, tags that the other has not been told of yet are not due: a copy at the edge that is purged too early
-- would be filled with the old page again.
WITH kind AS MATERIALIZED (
    SELECT p.priority, r.rank
    FROM unnest(CASE WHEN (SELECT version FROM freshet.policies) = 0 THEN ARRAY[5]
                     ELSE ARRAY[9, 8, 7, 6, 5, 4, 3, 2, 1, 0] END::smallint[]) AS p(priority)
    CROSS JOIN unnest(ARRAY[0, 1, 2]::smallint[]) AS r(rank)
), probe AS (
    UPDATE freshet.target SET opened_times = opened_times + 1,
        open_until = now() + make_interval(secs =>
            least(:#probeMaxSeconds, :#probeSeconds * power(2, least(opened_times + 1, 20))))
    WHERE name = (SELECT name FROM freshet.target WHERE name = :#target AND open_until <= now() FOR UPDATE SKIP LOCKED)
      AND EXISTS (SELECT FROM kind CROSS JOIN LATERAL (
                      SELECT FROM freshet.delivery
                      WHERE target = :#target AND priority = kind.priority AND rank = kind.rank AND due_at <= now()
                      LIMIT 1) due)
    RETURNING 1
), room AS MATERIALIZED (
    SELECT probing, CASE WHEN probing THEN 1 WHEN closed THEN :#limit::integer ELSE 0 END AS tags,
           CASE WHEN probing THEN 1 WHEN closed THEN greatest(:#limit::integer, :#urgentLimit::integer) ELSE 0 END
               AS urgent_tags,
           CASE WHEN closed THEN :#retries::integer ELSE 0 END AS retries
    FROM (SELECT EXISTS (SELECT FROM probe) AS probing,
                 (SELECT open_until IS NULL FROM freshet.target WHERE name = :#target) AS closed) t
), step AS MATERIALIZED (
    SELECT kind.priority, kind.rank, room.probing, room.retries,
           CASE WHEN kind.priority > 5 THEN room.urgent_tags ELSE room.tags END AS tags,
           now() - make_interval(secs => CASE WHEN kind.rank = 0 THEN :#freshWithinSeconds::double precision
                                              ELSE :#retriesWithinSeconds::double precision END) AS since
    FROM kind CROSS JOIN room
    ORDER BY CASE WHEN room.probing THEN kind.rank END,
             CASE WHEN :#lowestFirst::boolean THEN kind.priority ELSE -kind.priority END, kind.rank
), ahead AS MATERIALIZED (
    SELECT goes_after AS target FROM freshet.target WHERE name = :#target AND goes_after IS NOT NULL
), due AS MATERIALIZED (
    SELECT d.* FROM step CROSS JOIN LATERAL (
        SELECT * FROM (
            SELECT ctid, due_at FROM freshet.delivery
            WHERE target = :#target AND priority = step.priority AND rank = step.rank AND due_at <= now()
              AND due_at >= step.since
              -- it asks about the 1,000 oldest: while the other target is down, all of them wait
              AND due_at <= CASE WHEN EXISTS (TABLE ahead) THEN (
                      SELECT max(due_at) FROM (
                          SELECT due_at FROM freshet.delivery
                          WHERE target = :#target AND priority = step.priority AND rank = step.rank AND due_at <= now()
                            AND due_at >= step.since
                          ORDER BY due_at LIMIT 1000) oldest) ELSE now() END
              AND (NOT EXISTS (TABLE ahead)
                   OR done_handover < least(handover, freshet.done_ahead(tag, (TABLE ahead))))
            ORDER BY due_at
            LIMIT CASE WHEN step.probing THEN 0 WHEN step.rank = 0 THEN step.tags
                       ELSE least(step.tags, step.retries) END
            FOR UPDATE SKIP LOCKED) oldest
        UNION ALL
        SELECT * FROM (
            SELECT ctid, due_at FROM freshet.delivery
            WHERE target = :#target AND priority = step.priority AND rank = step.rank AND due_at <= now()
            ORDER BY due_at DESC LIMIT CASE WHEN step.probing THEN 1 ELSE 0 END
            FOR UPDATE SKIP LOCKED) newest) d
    LIMIT (SELECT urgent_tags FROM room)
)
UPDATE freshet.delivery d SET
    lease_id = :#lease::uuid,
    claimed_handover = CASE WHEN NOT EXISTS (TABLE ahead) THEN d.handover
                            ELSE greatest(d.done_handover,
                                least(d.handover, freshet.done_ahead(d.tag, (TABLE ahead)))) END,
    due_at = now() + make_interval(secs => :#leaseSeconds)
FROM due WHERE d.ctid = due.ctid        -- by ctid: a row that has changed meanwhile stays due
RETURNING d.target, d.tag, d.id, d.claimed_handover, d.lease_id, d.attempts, d.rank::integer AS rank, d.together,
          extract(epoch FROM now() - due.due_at)::double precision AS due_seconds,
          extract(epoch FROM now() - d.changed_at)::double precision AS age_seconds,
          extract(epoch FROM now() - d.owed_at)::double precision AS owed_seconds,
          (SELECT version FROM freshet.policies) AS policies,
          -- as in hand-over.sql: everything that is covered was committed before
          CASE WHEN :#hasReplicas::boolean THEN (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint END AS position
