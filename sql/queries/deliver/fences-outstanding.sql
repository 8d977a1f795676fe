-- How many tags of each fence have not been delivered everywhere yet; a fence that was not examined counts as one.
SELECT f.token, CASE WHEN f.noted_at IS NULL THEN 1 ELSE (
    SELECT count(DISTINCT tag) FROM (
        SELECT w.tag FROM freshet.fence_inbox w WHERE w.fence = f.id
        UNION ALL SELECT w.tag FROM freshet.fence_queue w WHERE w.fence = f.id
        UNION ALL SELECT w.tag FROM freshet.fence_delivery w CROSS JOIN LATERAL (
            SELECT FROM freshet.delivery WHERE tag = w.tag
                AND CASE WHEN target = w.target THEN id = w.delivery AND done_handover < w.handover END
            OFFSET 0) d
        WHERE w.fence = f.id) waits) END AS outstanding
FROM unnest(:#tokens::text[]) AS asked(token) JOIN freshet.fence f ON f.token = asked.token
