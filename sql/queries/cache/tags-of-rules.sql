SELECT freshet.tags_of_rules(:#names::text[], :#ids::jsonb) AS tags
