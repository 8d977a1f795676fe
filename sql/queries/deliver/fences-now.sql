-- The state of all fences that anyone waits for, in one query. A delivery that is gone, or that was replaced by another
-- row, has had its outcome, and so have hand-overs up to its done_handover. A dead letter concerns a fence's change if
-- it covers the hand-over and nothing was delivered in between: a delivery deletes the dead letter.
SELECT f.token, stage.is_outstanding,
       CASE WHEN NOT stage.is_outstanding THEN (
           SELECT json_agg(json_build_object('tag', tag, 'target', target, 'error', last_error) ORDER BY tag, target)
           FROM (SELECT l.tag, l.target, l.last_error
                 FROM freshet.fence_delivery w JOIN freshet.dead_letter l ON l.tag = w.tag AND l.target = w.target
                 WHERE w.fence = f.id
                   AND CASE WHEN l.handover IS NULL THEN l.last_failed_at >= f.asked_at
                            ELSE l.handover >= w.handover AND coalesce(l.done_handover, 0) < w.handover END
                 ORDER BY l.tag, l.target LIMIT :#listed) given_up)::text END AS given_up
FROM unnest(:#tokens::text[]) AS asked(token) JOIN freshet.fence f ON f.token = asked.token
CROSS JOIN LATERAL (
    SELECT f.noted_at IS NULL
           OR EXISTS (SELECT FROM freshet.fence_inbox w WHERE w.fence = f.id)
           OR EXISTS (SELECT FROM freshet.fence_queue w WHERE w.fence = f.id)
           OR EXISTS (SELECT FROM freshet.fence_delivery w CROSS JOIN LATERAL (
                          SELECT FROM freshet.delivery WHERE tag = w.tag
                              AND CASE WHEN target = w.target THEN id = w.delivery AND done_handover < w.handover END
                          OFFSET 0) d
                      WHERE w.fence = f.id) AS is_outstanding
) stage
WHERE f.asked_at > now() - interval '1 day'
