-- The policies in force, in the order in which they are applied, with their version.
SELECT s.version, p.pattern, p.profile, coalesce(p.priority, 5)::integer AS priority,
    coalesce(p.at_once, false) AS at_once,
       extract(epoch FROM p.debounce)::double precision AS debounce_seconds
FROM freshet.policies s LEFT JOIN freshet.policy p ON true
ORDER BY p.is_glob, p.literal DESC, p.pattern COLLATE "C"
