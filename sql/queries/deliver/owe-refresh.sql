-- What functions have committed for jobs that will never be finished (failed, cancelled or deleted meanwhile) becomes
-- owed to the batch target. If there should be a batch target that is not registered yet, because Freshet has just
-- started, this waits for it.
WITH known AS MATERIALIZED (
    SELECT name FROM freshet.target WHERE name = :#target FOR KEY SHARE      -- so that it is not deleted meanwhile
), left_over AS (
    UPDATE freshet.job_function f SET refreshed = true
    WHERE status = 'success' AND NOT refreshed AND (NOT :#hasTarget::boolean OR EXISTS (SELECT FROM known))
      AND NOT EXISTS (SELECT FROM public.background_job_status j WHERE j.id = f.job_id
          AND j.status IN ('queued', 'processing'))
    RETURNING tags
)
INSERT INTO freshet.delivery AS d (tag, target, handover, settled_handover, done_handover, changed_at, priority)
SELECT tag, known.name, number, number, number - 1, now(), coalesce((SELECT priority FROM freshet.policy_of(tag)), 5)
FROM (SELECT DISTINCT unnest(tags) AS tag FROM left_over) o CROSS JOIN known
     CROSS JOIN nextval('freshet.handover_number') AS next(number)
ORDER BY tag
ON CONFLICT (tag, target) DO UPDATE SET
    handover = greatest(d.handover + 1, nextval('freshet.handover_number')), handed_at = now()
