-- Registers the copies of a target that an instance serves: from now on they are known, and owed every change that is
-- handed over. A copy whose name in DNS now resolves to other addresses is marked as `missing` and otherwise left
-- alone, until leaving-copies.sql has found it so for a minute; if DNS did not answer (:answered is empty), nothing
-- changes. `pending` is a host name that was never resolved: what it is owed waits for its first address. This runs at
-- every turn, so it does not wait for locks: a row that someone else has locked is left to the next turn. Returns all
-- copies that are to be called, and whether one of them may be about to be deleted by a statement that has not
-- finished.
WITH listed AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(:#listed::jsonb) AS l(name text, place text, ip text, seen boolean,
        pending boolean)
), known AS MATERIALIZED (
    SELECT * FROM freshet.target WHERE copy_of = :#parent
), kept AS MATERIALIZED (
    SELECT k.name, k.place, k.ip, k.deleted_at, coalesce(l.pending, false) AS pending, coalesce(l.seen, false) AS seen,
           l.name IS NULL AND k.place = ANY (:#answered::text[]) AS missing
    FROM known k LEFT JOIN listed l USING (name)
    WHERE l.name IS NOT NULL OR k.ip IS NOT NULL AND k.place = ANY (:#places::text[])
), held AS MATERIALIZED (
    SELECT t.name, k.seen, k.missing, k.pending FROM freshet.target t JOIN kept k USING (name)
    WHERE t.deleted_at IS NOT NULL OR t.takes_queue <> :#takesQueue OR t.batch <> :#batch
       OR t.goes_after IS DISTINCT FROM :#after::text
       OR NOT k.pending AND t.served_at < now() - interval '15 seconds'
       OR k.seen AND t.missing_since IS NOT NULL OR k.missing AND t.missing_since IS NULL
    ORDER BY t.name FOR UPDATE OF t SKIP LOCKED
), renewed AS (
    UPDATE freshet.target t SET
        takes_queue = :#takesQueue, batch = :#batch, goes_after = :#after, deleted_at = NULL,
        served_at = CASE WHEN h.pending THEN t.served_at ELSE now() END,
        missing_since = CASE WHEN h.seen THEN NULL WHEN h.missing THEN coalesce(t.missing_since, now())
                             ELSE t.missing_since END
    FROM held h WHERE t.name = h.name
), begun AS (
    INSERT INTO freshet.target (name, takes_queue, batch, goes_after, copy_of, place, ip)
    SELECT l.name, :#takesQueue, :#batch, :#after, :#parent, l.place, l.ip FROM listed l
    WHERE NOT EXISTS (SELECT FROM known k WHERE k.name = l.name)
      AND NOT (l.pending AND EXISTS (SELECT FROM known k WHERE k.place = l.place AND k.ip IS NOT NULL))
    ORDER BY l.name ON CONFLICT (name) DO NOTHING
    RETURNING name, place, ip
)
SELECT name, place, ip, pending,
       deleted_at IS NULL OR name IN (SELECT h.name FROM held h) AS is_registered
FROM kept
UNION ALL
SELECT b.name, b.place, b.ip, l.pending, true FROM begun b JOIN listed l USING (name)
ORDER BY name
