-- For statements that leave the planner no choice (PlansTest): planning them takes longer than running them for one tag.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true)
