SELECT answer FROM freshet.invalidation_request WHERE request_id = :#requestId
