-- One batch of the audit's chain; last is the newest batch of all.
SELECT v.rows, encode(v.hash, 'hex') AS hash,
    to_char(v.sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS sealed_at, v.broken, v.broken_row
FROM freshet.verify_audit(:#batch) v
