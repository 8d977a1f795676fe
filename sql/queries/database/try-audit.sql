-- Inserts rows as Freshet does; rolled back. A call has several rows with one request_id: its attempts and its
-- outcomes.
INSERT INTO public.invalidation_audit
    (kind, target, keys, pattern, triggered_by, outcome, status, detail, request_id, latency_ms, timestamp)
SELECT kind, freshet.fit_audit(target, 'target'), keys::jsonb, freshet.fit_audit(pattern, 'pattern'),
       freshet.fit_audit(caller, 'triggered_by'), outcome, status, freshet.fit_audit(detail, 'detail'),
       freshet.fit_audit(request, 'request_id'), latency, now()
FROM (VALUES
    ('delivery', 'trial', '["freshet:trial"]', NULL, 'queue', 'delivered', 200, NULL, 'freshet:trial', 1.5),
    ('attempt', 'trial', '["freshet:trial"]', NULL, 'queue', NULL, 500, 'trial', 'freshet:trial', NULL),
    ('invalidation', NULL, '[]', 'trial:*', 'api', NULL, NULL, NULL, 'freshet:trial', 0.5),
    ('request', NULL, NULL, NULL, 'manual', NULL, NULL, 'trial', NULL, NULL)
) trial (kind, target, keys, pattern, caller, outcome, status, detail, request, latency)
RETURNING kind
