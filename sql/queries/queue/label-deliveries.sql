-- After a change of policies: deliveries get the priority that is in force, up to :limit of them. A delivery that
-- someone else has locked is being settled or handed over again, and gets it then.
WITH looked AS MATERIALIZED (
    SELECT tag, target, priority FROM freshet.delivery
    WHERE :#tag::text IS NULL OR (tag, target) > (:#tag, :#target::text)
    ORDER BY tag, target LIMIT :#limit
), wrong AS MATERIALIZED (
    SELECT * FROM (SELECT *, coalesce((SELECT priority FROM freshet.policy_of(tag)), 5) AS wanted FROM looked) l
    WHERE priority <> wanted
), free AS MATERIALIZED (
    SELECT d.*, w.wanted FROM wrong w CROSS JOIN LATERAL (
        SELECT tag, target FROM freshet.delivery WHERE tag = w.tag AND target = w.target
        FOR UPDATE SKIP LOCKED OFFSET 0) d
), labelled AS (
    UPDATE freshet.delivery d SET priority = f.wanted FROM free f WHERE d.tag = f.tag AND d.target = f.target
)
SELECT count(*)::integer AS looked, (array_agg(tag ORDER BY tag DESC, target DESC))[1] AS tag,
       (array_agg(target ORDER BY tag DESC, target DESC))[1] AS target,
       NULL AS bucket, NULL AS moment, NULL::integer AS priority
FROM looked
