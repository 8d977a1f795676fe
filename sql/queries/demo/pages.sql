-- The two pages of the demo's app as they would be if they were rendered now, with the tags whose change makes them
-- stale.
SELECT 'course' AS page, 'course:' || c.id AS tag,
    jsonb_build_object('title', c.title, 'updated_at', c.updated_at)::text AS content
FROM (SELECT * FROM public.courses ORDER BY id LIMIT 1) c
UNION ALL
SELECT 'table', 'season_stats',
    jsonb_build_object('season', last.season, 'last_match',
        format('Orange %s : %s Blue', last.score_orange, last.score_blue), 'played_on', last.played_on,
    'rows', (SELECT jsonb_agg(jsonb_build_object('player', top.name, 'played', top.played, 'won', top.won, 'goals',
        top.goals, 'points', top.points) ORDER BY top.points DESC, top.goals DESC, top.name)
             FROM (SELECT p.name, s.* FROM public.aggregated_season_stats s JOIN public.players p ON p.id = s.player_id
                   WHERE s.season = last.season ORDER BY s.points DESC, s.goals DESC, p.name LIMIT 5) top))::text
FROM (SELECT * FROM public.matches ORDER BY played_on DESC, id DESC LIMIT 1) last
