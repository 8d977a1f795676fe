DELETE FROM freshet.mark_later
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM freshet.mark_later LIMIT :#limit FOR UPDATE SKIP LOCKED)) RETURNING tag
