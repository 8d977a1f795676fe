-- Inserts rows as Freshet does; rolled back. A call has several rows with one request_id: its attempts and its
-- outcomes.
INSERT INTO public.invalidation_audit
    (kind, target, keys, pattern, triggered_by, outcome, status, detail, request_id, latency_ms, timestamp)
VALUES ('delivery', 'trial', '["freshet:trial"]', NULL, 'queue', 'delivered', 200, NULL, 'freshet:trial', 1.5, now()),
       ('attempt', 'trial', '["freshet:trial"]', NULL, 'queue', NULL, 500, 'trial', 'freshet:trial', NULL, now()),
       ('invalidation', NULL, '[]', 'trial:*', 'api', NULL, NULL, NULL, 'freshet:trial', 0.5, now()),
       ('request', NULL, NULL, NULL, 'manual', NULL, NULL, 'trial', NULL, NULL, now())
RETURNING kind
