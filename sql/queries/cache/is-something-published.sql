-- Asked before a transaction is begun to send it.
SELECT EXISTS (SELECT FROM freshet.publication) AS is_there
