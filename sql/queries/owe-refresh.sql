-- What functions have committed for jobs that nobody is going to finish (failed, cancelled or deleted meanwhile) is owed to the batch target.
WITH left_over AS (
    UPDATE freshet.job_function f SET refreshed = true
    WHERE status = 'success' AND NOT refreshed
      AND NOT EXISTS (SELECT FROM public.background_job_status j WHERE j.id = f.job_id AND j.status IN ('queued', 'processing'))
    RETURNING tags
)
INSERT INTO freshet.delivery AS d (tag, target, handover, settled_handover, changed_at)
SELECT tag, t.name, number, number, now()
FROM (SELECT DISTINCT unnest(tags) AS tag FROM left_over) o CROSS JOIN freshet.target t CROSS JOIN nextval('freshet.handover_number') AS number
WHERE t.name = :#target ORDER BY tag
ON CONFLICT (tag, target) DO UPDATE SET handover = excluded.handover, handed_at = now()
