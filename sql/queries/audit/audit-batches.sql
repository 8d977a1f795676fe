-- The chain begins after the last seal that the retention has removed. A seal that is missing after that is noticed.
SELECT coalesce((SELECT seals_upto FROM freshet.audit_forgotten), 0) + 1 AS first, coalesce(max(number), 0) AS last
FROM freshet.audit_seal
