-- For statements that leave the planner no choice (PlansTest): to plan them takes longer than to run them for one tag.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true)
