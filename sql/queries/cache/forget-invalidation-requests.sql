DELETE FROM freshet.invalidation_request WHERE request_id = ANY (ARRAY(
    SELECT request_id FROM freshet.invalidation_request WHERE asked_at < now() - interval '24 hours'
        ORDER BY asked_at LIMIT :#limit FOR UPDATE SKIP LOCKED))
