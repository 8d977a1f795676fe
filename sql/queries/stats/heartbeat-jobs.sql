-- Renews leases. An attempt that is not returned was taken away: cancelled, queued by hand, or presumed dead.
UPDATE public.background_job_status j SET lease_until = now() + make_interval(secs => :#leaseSeconds)
FROM unnest(:#jobs::uuid[], :#attempts::integer[]) AS held(id, attempt)
WHERE j.id = held.id AND j.attempt = held.attempt AND j.status = 'processing'
RETURNING j.id, j.attempt
