-- Dry run: the policy of each of these tags. A tag without one has no row.
SELECT wanted.tag, p.pattern, p.debounce::text AS debounce, coalesce(p.at_once, false) AS at_once, p.profile,
       coalesce(p.priority, 5)::integer AS priority
FROM unnest(:#tags::text[]) WITH ORDINALITY AS wanted(tag, place) CROSS JOIN LATERAL freshet.policy_of(wanted.tag) p
ORDER BY wanted.place
