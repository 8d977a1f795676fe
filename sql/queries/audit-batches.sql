SELECT coalesce(min(number), 1) AS first, coalesce(max(number), 0) AS last FROM freshet.audit_seal
